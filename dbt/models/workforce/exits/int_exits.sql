-- Who of the opening population leaves this year, when and why.
-- Layoffs and announced exits happen on their day, then come deaths and disability, then the retirements. Of everyone
-- else, exact mode takes the people with the smallest race keys, which is drawing without replacement in proportion to
-- the hazard; stochastic mode lets each leave with probability min(1, c x hazard). They leave voluntarily or not by
-- draw.
with

ranked as (
    select
        hazards.employee_id,
        hazards.exit_draw,
        hazards.cause_draw,
        least(1, scale.scale * hazards.hazard) as exit_probability,
        row_number() over (order by hazards.race_key, hazards.employee_id) as race_rank
    from {{ ref('int_exit_hazard') }} as hazards
    cross join {{ ref('int_exit_scale') }} as scale
    anti join {{ ref('int_retirements') }} as retirements
        on hazards.employee_id = retirements.employee_id
),

drawn as (
    select
        ranked.employee_id,
        ranked.exit_draw,
        ranked.exit_probability,
        case
            when ranked.cause_draw < {{ param('voluntary_share') }}::double then 'voluntary'
            else 'involuntary'
        end as termination_reason
    from ranked
    cross join {{ ref('int_headcount_target') }} as target
    where
        case
            when {{ param('headcount_mode') }} = 'exact' then ranked.race_rank <= target.other_exits
            else ranked.exit_draw < ranked.exit_probability
        end
    union all
    select
        employee_id,
        retirement_draw as exit_draw,
        retirement_probability as exit_probability,
        'retirement' as termination_reason
    from {{ ref('int_retirements') }}
    union all
    select
        employee_id,
        exit_draw,
        exit_probability,
        termination_reason
    from {{ ref('int_decrements') }}
),

keys as (
    select
        *,
        {{ draw_key('termination_date', 'employee_id') }} as draw_key
    from drawn
)

select
    drawn.employee_id,
    months.month_start + floor({{ draw2('drawn.draw_key') }} * months.days)::integer as termination_date,
    drawn.termination_reason,
    drawn.exit_probability::decimal(9, 6) as exit_probability,
    drawn.exit_draw
from keys as drawn
inner join {{ ref('stg_month_weights') }} as months
    on
        months.purpose = 'exit'
        and {{ draw('drawn.draw_key') }} >= months.lower_bound
        and {{ draw('drawn.draw_key') }} < months.upper_bound

union all

select
    opening.employee_id,
    opening.announced_termination_date as termination_date,
    'announced' as termination_reason,
    1::decimal(9, 6) as exit_probability,
    null::double as exit_draw
from {{ ref('int_opening_workforce') }} as opening
cross join {{ ref('stg_calendar') }} as calendar
anti join {{ ref('int_reductions') }} as reductions
    on opening.employee_id = reductions.employee_id
where opening.announced_termination_date between calendar.year_start and calendar.year_end

union all

select
    employee_id,
    reduction_date as termination_date,
    'layoff' as termination_reason,
    null::decimal(9, 6) as exit_probability,
    reduction_draw as exit_draw
from {{ ref('int_reductions') }}
where employee_id is not null
