-- The relative hazard of leaving, for everyone without an announced exit:
--   level factor x age multiplier x tenure multiplier + retirement hazard(age), at the age and service of 1 January,
-- with the person's draw for the year and, for the exact mode, the key of an exponential race: -ln(1 - u) / hazard.
with

hazards as (
    select
        opening.employee_id,
        round(
            levels.termination_factor * ages.termination_multiplier * tenures.termination_multiplier
            + ages.retirement_hazard,
            12
        ) as hazard,
        ages.retirement_hazard,
        {{ draw_key('termination', 'opening.employee_id') }} as draw_key
    from {{ ref('int_opening_workforce') }} as opening
    inner join {{ ref('stg_job_levels') }} as levels
        on opening.level_id = levels.level_id
    inner join {{ ref('stg_age_segments') }} as ages
        on opening.age = ages.age
    inner join {{ ref('stg_tenure_segments') }} as tenures
        on opening.completed_years = tenures.completed_years
    where opening.announced_termination_date is null
),

draws as (
    select
        employee_id,
        hazard,
        retirement_hazard,
        {{ draw('draw_key') }} as exit_draw,
        {{ draw2('draw_key') }} as cause_draw
    from hazards
)

select
    employee_id,
    hazard,
    retirement_hazard,
    exit_draw,
    cause_draw,
    case when hazard > 0 then round(-ln(1 - exit_draw) / hazard, 12) else 'infinity'::double end as race_key
from draws
