-- When somebody who enters the simulation this year may join: the entry date of each contribution source. It changes
-- only with the plan's rules: who is employed on the 1 January of a change is ruled anew, and for who has not entered
-- the new date holds, at the earliest that day (int_eligibility). Code sections 410(a)(1) and (4), 401(k)(2)(D),
-- 401(k)(15). Ready = the latest of the birthday of the minimum age, the end of the required service, and the hire,
-- before which service may have begun; the entry date is the first entry date on or after it. Elapsed service counts
-- the calendar; with the method hours a year of service is an anniversary year of 1,000 scheduled hours, so those below
-- never enter that way. With that method people of 500 to 999 hours in each of two consecutive anniversary years
-- beginning on or after 1 January 2021 (three for plan year 2024) may defer from age 21 (long-term part-time). An
-- override comes before everything; a census participant has entered.
-- Long because people come from three sides and every source of money has its dates.
with

entrants as (
    select
        employee_id,
        employee_birth_date,
        employee_hire_date,
        employee_service_date,
        scheduled_hours_per_week,
        plan_eligible_override,
        deferral_rate > 0 as is_participant,
        false as is_ruled_anew,
        greatest(employee_hire_date, make_date({{ param('start_year') }}, 1, 1)) as first_day
    from {{ ref('int_opening_workforce') }}
    where {{ param('simulation_year') }} = {{ param('start_year') }}
    union all
    select
        employee_id,
        birth_date as employee_birth_date,
        hire_date as employee_hire_date,
        service_date as employee_service_date,
        scheduled_hours_per_week,
        null::boolean as plan_eligible_override,
        false as is_participant,
        false as is_ruled_anew,
        hire_date as first_day
    from {{ ref('int_hires') }}
    union all
    select
        employee_id,
        employee_birth_date,
        employee_hire_date,
        employee_service_date,
        scheduled_hours_per_week,
        plan_eligible_override,
        false as is_participant,
        true as is_ruled_anew,
        make_date({{ param('simulation_year') }}, 1, 1) as first_day
    from {{ ref('int_opening_workforce') }}
    where
        {{ param('simulation_year') }} = {{ param('eligibility_year') }}
        and {{ param('simulation_year') }} > {{ param('start_year') }}
        and plan_eligible_override is null
),

hours as (
    select
        *,
        scheduled_hours_per_week * 52 as yearly_hours,
        greatest(
            employee_service_date,
            {{ date_in_year('2021', 'month(employee_service_date)', 'day(employee_service_date)') }}
        ) as first_counted_day
    from entrants
),

ready as (
    select
        employee_id,
        plan_eligible_override,
        is_participant,
        is_ruled_anew,
        first_day,
        {{ ready_to_enter('deferral') }} as deferral_ready,
        {{ ready_to_enter('match') }} as match_ready,
        {{ ready_to_enter('core') }} as core_ready,
        case
            when yearly_hours >= 500
                then greatest(
                    employee_hire_date,
                    (employee_birth_date + to_years(21))::date,
                    least(
                        greatest((first_counted_day + to_years(3))::date, date '2024-01-01'),
                        greatest((first_counted_day + to_years(2))::date, date '2025-01-01')
                    )
                )
        end as part_time_ready,
        {{ entry_date_months('deferral') }} as deferral_months,
        {{ entry_date_months('match') }} as match_months,
        {{ entry_date_months('core') }} as core_months
    from hours
),

ruled as (
    select
        employee_id,
        plan_eligible_override,
        is_participant,
        is_ruled_anew,
        first_day,
        deferral_ready is null and part_time_ready is not null as is_long_term_part_time,
        {{ first_entry_date('coalesce(deferral_ready, part_time_ready)', 'deferral', 'deferral_months') }}
            as deferral_rule_date,
        {{ first_entry_date('match_ready', 'match', 'match_months') }} as match_rule_date,
        {{ first_entry_date('core_ready', 'core', 'core_months') }} as core_rule_date
    from ready
)

select
    employee_id,
    is_ruled_anew,
    case
        when plan_eligible_override then first_day
        when not plan_eligible_override then null
        when is_participant then least(deferral_rule_date, first_day)
        when is_ruled_anew and deferral_rule_date < first_day then first_day
        else deferral_rule_date
    end as deferral_entry_date,
    case
        when plan_eligible_override then first_day
        when not plan_eligible_override then null
        when
            is_participant and not is_long_term_part_time and {{ param('match_follows_deferral') }}
            then least(match_rule_date, first_day)
        when is_ruled_anew and match_rule_date < first_day then first_day
        else match_rule_date
    end as match_entry_date,
    case
        when plan_eligible_override then first_day
        when not plan_eligible_override then null
        when
            is_participant and not is_long_term_part_time and {{ param('core_follows_deferral') }}
            then least(core_rule_date, first_day)
        when is_ruled_anew and core_rule_date < first_day then first_day
        else core_rule_date
    end as core_entry_date,
    case
        when plan_eligible_override is not null then 'override'
        when is_participant and (deferral_rule_date is null or deferral_rule_date > first_day) then 'census_election'
        when is_long_term_part_time then 'long_term_part_time'
        else 'plan_rule'
    end as entry_basis
from ruled
