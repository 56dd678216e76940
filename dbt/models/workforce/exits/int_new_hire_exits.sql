-- The hires who leave again in the year they came, on a day after the hire date and before 31 December.
-- Exact mode: in each pool of the plan a race in which a hire's hazard is the days there are to leave on; stochastic
-- mode: each by chance.
with

keys as (
    select
        hires.employee_id,
        hires.hire_date,
        levels.exit_pool,
        levels.new_hire_exits,
        calendar.year_end - hires.hire_date - 1 as days_to_leave,
        {{ draw_key('new_hire_termination', 'hires.employee_id') }} as exit_key
    from {{ ref('int_hires') }} as hires
    inner join {{ ref('int_hire_levels') }} as levels
        on hires.level_id = levels.level_id
    cross join {{ ref('stg_calendar') }} as calendar
    where hires.hire_category = 'new_hire'
),

ranked as (
    select
        employee_id,
        hire_date,
        new_hire_exits,
        days_to_leave,
        {{ draw('exit_key') }} as exit_draw,
        {{ draw2('exit_key') }} as cause_draw,
        row_number() over (
            partition by {{ world() }} exit_pool
            order by round(-ln(1 - {{ draw('exit_key') }}) / days_to_leave, 12), employee_id
        ) as race_rank
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
    where
        case
            when {{ param('headcount_mode') }} = 'exact'
                then ranked.race_rank <= ranked.new_hire_exits
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
