-- When somebody who enters the simulation this year may join: the entry date of each contribution source, which never
-- changes afterwards. Code sections 410(a)(1) and (4), 401(k)(2)(D), 401(k)(15). Ready = the later of the birthday of
-- the minimum age and the end of the required service; the entry date is the first entry date on or after it. Elapsed
-- service counts the calendar; with the method hours a year of service is an anniversary year of 1,000 scheduled hours,
-- so those below never enter that way. With that method people of 500 to 999 hours in each of two consecutive
-- anniversary years beginning on or after 1 January 2021 (three for plan year 2024) may defer from age 21 (long-term
-- part-time). An override comes before everything; a census participant has entered.
with

entrants as (
    select
        employee_id,
        employee_birth_date,
        employee_hire_date,
        scheduled_hours_per_week,
        plan_eligible_override,
        deferral_rate > 0 as is_participant,
        greatest(employee_hire_date, make_date({{ param('start_year', 'integer') }}, 1, 1)) as first_day
    from {{ ref('int_opening_workforce') }}
    where {{ param('simulation_year', 'integer') }} = {{ param('start_year', 'integer') }}
    union all
    select
        employee_id,
        birth_date as employee_birth_date,
        hire_date as employee_hire_date,
        scheduled_hours_per_week,
        null::boolean as plan_eligible_override,
        false as is_participant,
        hire_date as first_day
    from {{ ref('int_hires') }}
),

ready as (
    select
        *,
        greatest(
            (employee_birth_date + to_months({{ param('deferral_minimum_age_months', 'integer') }}))::date,
            {{ service_reached('employee_hire_date', 'deferral') }}
        ) as deferral_ready,
        {{ param('deferral_service_method', 'varchar') }} = 'elapsed'
        or {{ param('deferral_service', 'integer') }} = 0
        or scheduled_hours_per_week * 52 >= 1000 as reaches_deferral_service,
        greatest(
            (employee_birth_date + to_months({{ param('match_minimum_age_months', 'integer') }}))::date,
            {{ service_reached('employee_hire_date', 'match') }}
        ) as match_ready,
        {{ param('match_service_method', 'varchar') }} = 'elapsed'
        or {{ param('match_service', 'integer') }} = 0
        or scheduled_hours_per_week * 52 >= 1000 as reaches_match_service,
        greatest(
            (employee_birth_date + to_months({{ param('core_minimum_age_months', 'integer') }}))::date,
            {{ service_reached('employee_hire_date', 'core') }}
        ) as core_ready,
        {{ param('core_service_method', 'varchar') }} = 'elapsed'
        or {{ param('core_service', 'integer') }} = 0
        or scheduled_hours_per_week * 52 >= 1000 as reaches_core_service,
        {{ param('deferral_service_method', 'varchar') }} = 'hours'
        and {{ param('deferral_service', 'integer') }} > 0
        and scheduled_hours_per_week * 52 >= 500
        and scheduled_hours_per_week * 52 < 1000 as is_long_term_part_time,
        case
            when employee_hire_date >= date '2021-01-01' then employee_hire_date
            else {{ date_in_year('2021', 'month(employee_hire_date)', 'day(employee_hire_date)') }}
        end as first_counted_day
    from entrants
),

ruled as (
    select
        employee_id,
        plan_eligible_override,
        is_participant,
        first_day,
        is_long_term_part_time,
        case
            when reaches_deferral_service
                then {{ first_entry_date('deferral_ready', param('deferral_entry_dates', 'varchar')) }}
            when is_long_term_part_time
                then {{ first_entry_date('part_time_ready', param('deferral_entry_dates', 'varchar')) }}
        end as deferral_rule_date,
        case
            when reaches_match_service
                then {{ first_entry_date('match_ready', param('match_entry_dates', 'varchar')) }}
        end as match_rule_date,
        case
            when reaches_core_service
                then {{ first_entry_date('core_ready', param('core_entry_dates', 'varchar')) }}
        end as core_rule_date
    from (
        select
            *,
            greatest(
                (employee_birth_date + to_years(21))::date,
                least(
                    greatest((first_counted_day + to_years(3))::date, date '2024-01-01'),
                    greatest((first_counted_day + to_years(2))::date, date '2025-01-01')
                )
            ) as part_time_ready
        from ready
    ) as part_timers
)

select
    employee_id,
    case
        when plan_eligible_override then first_day
        when not plan_eligible_override then null
        when is_participant then least(deferral_rule_date, first_day)
        else deferral_rule_date
    end as deferral_entry_date,
    case
        when plan_eligible_override then first_day
        when not plan_eligible_override then null
        when
            is_participant and not is_long_term_part_time and {{ param('match_follows_deferral', 'boolean') }}
            then least(match_rule_date, first_day)
        else match_rule_date
    end as match_entry_date,
    case
        when plan_eligible_override then first_day
        when not plan_eligible_override then null
        when
            is_participant and not is_long_term_part_time and {{ param('core_follows_deferral', 'boolean') }}
            then least(core_rule_date, first_day)
        else core_rule_date
    end as core_entry_date,
    case
        when plan_eligible_override is not null then 'override'
        when is_participant and (deferral_rule_date is null or deferral_rule_date > first_day) then 'census_election'
        when is_long_term_part_time then 'long_term_part_time'
        else 'plan_rule'
    end as entry_basis
from ruled
