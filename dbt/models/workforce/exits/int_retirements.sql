-- Who retires this year. Exact mode: the retirements of the year's target by an exponential race in which a person's
-- hazard is -ln(1 - rate); stochastic mode: each with the probability of the age, less the share of the expected
-- retirements that announced exits are.
with

ranked as (
    select
        hazards.employee_id,
        hazards.retirement_draw,
        least(1, round(hazards.retirement_rate * target.retirement_scale, 12)) as retirement_probability,
        target.drawn_retirements,
        row_number() over (order by hazards.retirement_race_key, hazards.employee_id) as race_rank
    from {{ ref('int_exit_hazard') }} as hazards
    cross join {{ ref('int_headcount_target') }} as target
    where hazards.retirement_rate > 0
)

select
    employee_id,
    retirement_draw,
    retirement_probability
from ranked
where
    case
        when {{ param('headcount_mode') }} = 'exact' then race_rank <= drawn_retirements
        else retirement_draw < retirement_probability
    end
