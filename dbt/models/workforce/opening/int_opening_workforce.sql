-- The population of 1 January: the census in the first simulated year, last year's active people in every later one.
-- Which of the two is decided by the year alone, never by a table being empty.
-- Long because of its columns: each has a source in the first year and another one in later years.
select
    census.employee_id,
    census.employee_birth_date,
    census.employee_hire_date,
    census.employee_service_date,
    census.level_id,
    census.compensation,
    census.department,
    census.location,
    census.employee_class,
    census.sex,
    census.scheduled_hours_per_week,
    census.announced_termination_date,
    census.auto_escalation_opt_out,
    census.plan_eligible_override,
    census.is_five_percent_owner,
    census.level_id as entry_level_id,
    census.bonus_share,
    {{ per_year(
        'census.compensation * (calendar.year_start - greatest(census.employee_hire_date, calendar.prior_year_start))',
        '(calendar.year_start - calendar.prior_year_start)'
    ) }} as prior_year_base_compensation,
    coalesce(
        census.prior_year_compensation,
        {{ per_year(
            '(census.compensation + coalesce(census.variable_compensation, 0)) '
            ~ '* (calendar.year_start - greatest(census.employee_hire_date, calendar.prior_year_start))',
            '(calendar.year_start - calendar.prior_year_start)'
        ) }}
    ) as prior_year_compensation,
    null::date as deferral_entry_date,
    null::date as match_entry_date,
    null::date as core_entry_date,
    null::varchar as entry_basis,
    null::integer as entry_dates_changed_in,
    null::decimal(9, 6) as match_vested_floor,
    null::decimal(9, 6) as core_vested_floor,
    null::date as eligibility_date,
    null::boolean as was_eligible,
    census.deferral_rate,
    census.enrollment_date,
    census.enrollment_method,
    census.deferral_rate = 0 and census.enrollment_date is not null as has_opted_out,
    case when census.deferral_rate = 0 then census.enrollment_date end as last_opt_out_date,
    false as has_made_own_choice,
    0 as escalation_count,
    null::varchar as pending_kind,
    null::date as pending_date,
    null::decimal(9, 6) as pending_rate,
    null::decimal(9, 6) as pending_probability,
    null::double as pending_draw,
    census.employee_account_balance,
    census.match_account_balance,
    census.core_account_balance,
    {{ completed_years('census.employee_birth_date', 'calendar.year_start') }} as age,
    {{ completed_years('census.employee_service_date', 'calendar.year_start') }} as completed_years
from {{ ref('stg_census') }} as census
cross join {{ ref('stg_calendar') }} as calendar
where {{ param('simulation_year') }} = {{ param('start_year') }}

union all by name

select
    snapshot.employee_id,
    snapshot.employee_birth_date,
    snapshot.employee_hire_date,
    people.employee_service_date,
    snapshot.level_id,
    snapshot.current_compensation as compensation,
    people.department,
    people.location,
    people.employee_class,
    people.sex,
    people.scheduled_hours_per_week,
    people.announced_termination_date,
    people.auto_escalation_opt_out,
    people.plan_eligible_override,
    people.is_five_percent_owner,
    people.entry_level_id,
    people.bonus_share,
    snapshot.prorated_annual_compensation - snapshot.bonus_amount as prior_year_base_compensation,
    snapshot.prorated_annual_compensation as prior_year_compensation,
    {{ entry_in_force('deferral_entry_date') }},
    {{ entry_in_force('match_entry_date') }},
    {{ entry_in_force('core_entry_date') }},
    {{ entry_in_force('entry_basis') }},
    states.entry_dates_changed_in,
    {{ vested_floor('match') }},
    {{ vested_floor('core') }},
    snapshot.eligibility_date,
    snapshot.is_eligible as was_eligible,
    snapshot.current_deferral_rate as deferral_rate,
    snapshot.enrollment_date,
    snapshot.enrollment_method,
    snapshot.has_opted_out,
    states.last_opt_out_date,
    coalesce(states.has_made_own_choice, false) as has_made_own_choice,
    snapshot.escalation_count,
    states.pending_kind,
    states.pending_date,
    states.pending_rate,
    states.pending_probability,
    states.pending_draw,
    snapshot.employee_account_balance,
    snapshot.match_account_balance,
    snapshot.core_account_balance,
    {{ completed_years('snapshot.employee_birth_date', 'calendar.year_start') }} as age,
    {{ completed_years('people.employee_service_date', 'calendar.year_start') }} as completed_years
from {{ source('ledger', 'fct_workforce_snapshot') }} as snapshot
cross join {{ ref('stg_calendar') }} as calendar
inner join {{ source('ledger', 'dim_employee') }} as people
    on snapshot.employee_id = people.employee_id
left join {{ source('ledger', 'fct_enrollment_state') }} as states
    on
        snapshot.employee_id = states.employee_id
        and states.simulation_year = {{ param('simulation_year') }} - 1
where
    {{ param('simulation_year') }} > {{ param('start_year') }}
    and snapshot.simulation_year = {{ param('simulation_year') }} - 1
    and people.simulation_year < {{ param('simulation_year') }}
    and snapshot.employment_status = 'active'
