-- Everyone without an announced exit who may die or become disabled: the yearly probabilities at the age of 1 January,
-- with the person's draws of the year.
with

keys as (
    select
        opening.employee_id,
        rates.death_rate,
        rates.disability_rate,
        {{ draw_key('death', 'opening.employee_id') }} as death_key,
        {{ draw_key('disability', 'opening.employee_id') }} as disability_key
    from {{ ref('int_opening_workforce') }} as opening
    inner join {{ ref('stg_decrement_rates') }} as rates
        on
            opening.age = rates.age
            and {{ sex_of('opening.sex') }} = rates.sex
    anti join {{ ref('int_reductions') }} as reductions
        on opening.employee_id = reductions.employee_id
    where
        opening.announced_termination_date is null
        and (rates.death_rate > 0 or rates.disability_rate > 0)
)

select
    employee_id,
    death_rate,
    disability_rate,
    {{ draw('death_key') }} as death_draw,
    {{ draw('disability_key') }} as disability_draw
from keys
