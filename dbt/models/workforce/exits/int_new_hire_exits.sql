-- The hires who leave again in the year they came, on a day after the hire date and before 31 December.
-- Exact mode: an even race among those who have such a day; stochastic mode: each by chance.
with

keys as (
    select
        hires.employee_id,
        hires.hire_date,
        calendar.year_end - hires.hire_date - 1 as days_to_leave,
        {{ draw_key('new_hire_termination', 'hires.employee_id') }} as exit_key
    from {{ ref('int_hires') }} as hires
    cross join {{ ref('stg_calendar') }} as calendar
),

ranked as (
    select
        employee_id,
        hire_date,
        days_to_leave,
        {{ draw('exit_key') }} as exit_draw,
        {{ draw2('exit_key') }} as cause_draw,
        row_number() over (order by {{ draw('exit_key') }}, employee_id) as race_rank
    from keys
),

leaving as (
    select
        ranked.employee_id,
        ranked.hire_date,
        ranked.days_to_leave,
        ranked.exit_draw,
        ranked.cause_draw,
        {{ draw_key('new_hire_termination_date', 'ranked.employee_id') }} as date_key
    from ranked
    cross join {{ ref('int_hiring_plan') }} as plan
    where
        case
            when {{ param('headcount_mode') }} = 'exact'
                then ranked.race_rank <= plan.new_hire_exits
            else ranked.exit_draw < {{ param('new_hire_termination_rate') }}::double
        end
)

select
    employee_id,
    hire_date + 1 + floor({{ draw('date_key') }} * days_to_leave)::integer as termination_date,
    case
        when cause_draw < {{ param('voluntary_share') }}::double then 'voluntary'
        else 'involuntary'
    end as termination_reason,
    {{ param('new_hire_termination_rate') }} as exit_probability,
    exit_draw
from leaving
