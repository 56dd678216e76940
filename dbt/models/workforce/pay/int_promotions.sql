-- The promotions, of those still employed on the date, with the pay before and after. Where the raise came earlier in
-- the year, it is on the raised pay.
with

priced as (
    select
        decisions.employee_id,
        decisions.promotion_date,
        decisions.level_before,
        decisions.level_after,
        decisions.promotion_probability,
        decisions.promotion_draw,
        decisions.increase_rate,
        decisions.new_range_minimum,
        case
            when raises.raise_date < decisions.promotion_date then raises.compensation_after
            else opening.compensation
        end as compensation_before
    from {{ ref('int_promotion_decisions') }} as decisions
    inner join {{ ref('int_opening_workforce') }} as opening
        on decisions.employee_id = opening.employee_id
    left join {{ ref('int_exits') }} as exits
        on decisions.employee_id = exits.employee_id
    left join {{ ref('int_raises') }} as raises
        on decisions.employee_id = raises.employee_id
    where exits.termination_date is null or exits.termination_date >= decisions.promotion_date
)

select
    employee_id,
    promotion_date,
    level_before,
    level_after,
    promotion_probability,
    promotion_draw,
    increase_rate,
    compensation_before,
    {{ promoted_pay('compensation_before', 'increase_rate', 'new_range_minimum') }} as compensation_after
from priced
