-- Everyone without an announced exit who neither is laid off, dies nor becomes disabled this year: the yearly
-- probability of retirement by age, and the relative hazard of leaving for any other reason,
--   level factor x age multiplier x tenure multiplier,
-- both at the age and service of 1 January, with the person's draws of the year and the keys of two exponential races:
-- -ln(1 - u) / hazard, and for retirements, whose hazard is -ln(1 - rate), ln(1 - u) / ln(1 - rate).
with

hazards as (
    select
        opening.employee_id,
        {{ exit_hazard() }} as hazard,
        ages.retirement_rate,
        {{ draw_key('termination', 'opening.employee_id') }} as draw_key,
        case
            when ages.retirement_rate > 0 then {{ draw_key('retirement', 'opening.employee_id') }}
        end as retirement_key
    from {{ ref('int_opening_workforce') }} as opening
    inner join {{ ref('stg_job_levels') }} as levels
        on opening.level_id = levels.level_id
    inner join {{ ref('stg_age_segments') }} as ages
        on opening.age = ages.age
    inner join {{ ref('stg_tenure_segments') }} as tenures
        on opening.completed_years = tenures.completed_years
    anti join {{ ref('int_reductions') }} as reductions
        on opening.employee_id = reductions.employee_id
    anti join {{ ref('int_decrements') }} as decrements
        on opening.employee_id = decrements.employee_id
    where opening.announced_termination_date is null
),

draws as (
    select
        employee_id,
        hazard,
        retirement_rate,
        {{ draw('draw_key') }} as exit_draw,
        {{ draw2('draw_key') }} as cause_draw,
        {{ draw('retirement_key') }} as retirement_draw
    from hazards
)

select
    employee_id,
    hazard,
    retirement_rate,
    exit_draw,
    cause_draw,
    retirement_draw,
    case when hazard > 0 then round(-ln(1 - exit_draw) / hazard, 12) else 'infinity'::double end as race_key,
    {{ race_key('retirement_draw', 'retirement_rate') }} as retirement_race_key
from draws
