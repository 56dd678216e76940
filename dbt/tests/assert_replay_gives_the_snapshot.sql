{{ config(tags=['final_year']) }}
-- Rebuilding the snapshot from the census and the ledger alone, segment by segment, gives the same rows.
-- It reads no working model and no earlier snapshot, and adds pay up another way than the snapshot does.
with

year_bounds as (
    select
        make_date({{ param('simulation_year') }}, 1, 1) as year_start,
        make_date({{ param('simulation_year') }}, 12, 31) as year_end,
        dayofyear(make_date({{ param('simulation_year') }}, 12, 31)) as days_in_year
),

ledger as not materialized (
    select
        simulation_year,
        employee_id,
        event_type,
        event_category,
        effective_date,
        event_sequence,
        compensation_after,
        level_after,
        amount,
        event_details
    from {{ ref('fct_yearly_events') }}
    where
        simulation_year <= {{ param('simulation_year') }}
        and event_type in {{ event_types_about(['employment', 'pay']) }}
),

levels as (
    select
        level_id,
        case when lag(level_id) over (order by level_id) is null then 0 else pay_from end as pay_from,
        coalesce(lead(pay_from) over (order by level_id), 1e15) as pay_to
    -- the census is cut by the ranges of the first year
    from {{ source('parameters', 'job_levels') }}
    where simulation_year = {{ param('start_year') }}
),

people as (
    select
        census.employee_id,
        census.employee_birth_date,
        census.employee_hire_date,
        coalesce(census.employee_service_date, census.employee_hire_date) as employee_service_date,
        census.scheduled_hours_per_week,
        coalesce(census.level_id, levels.level_id) as level_id,
        census.employee_gross_compensation as compensation,
        {{ param('start_year') }} - 1 as entry_year,
        false as is_acquired
    from {{ source('inputs', 'census') }} as census
    inner join levels
        on
            {{ full_time_pay('census.employee_gross_compensation', 'census.scheduled_hours_per_week') }}
            >= levels.pay_from
            and {{ full_time_pay('census.employee_gross_compensation', 'census.scheduled_hours_per_week') }}
            < levels.pay_to
    where census.is_simulated
    union all
    select
        employee_id,
        (event_details ->> 'employee_birth_date')::date as employee_birth_date,
        effective_date as employee_hire_date,
        coalesce((event_details ->> 'employee_service_date')::date, effective_date) as employee_service_date,
        (event_details ->> 'scheduled_hours_per_week')::decimal(9, 2) as scheduled_hours_per_week,
        level_after as level_id,
        compensation_after as compensation,
        simulation_year as entry_year,
        event_category = 'acquired' as is_acquired
    from ledger
    where event_type = 'hire'
),

history as (
    select
        employee_id,
        arg_max(compensation_after, simulation_year * 1000 + event_sequence)
        filter (where simulation_year < {{ param('simulation_year') }}) as opening_compensation,
        arg_max(level_after, simulation_year * 1000 + event_sequence) as level_id,
        coalesce(
            sum(amount) filter (where event_type = 'bonus' and simulation_year = {{ param('simulation_year') }}), 0
        )::decimal(18, 2) as bonus,
        max(effective_date) filter (where event_type = 'termination') as termination_date,
        max(event_category) filter (where event_type = 'termination') as termination_reason
    from ledger
    group by employee_id
),

present as (
    select
        people.employee_id,
        people.employee_birth_date,
        people.employee_hire_date,
        people.employee_service_date,
        people.scheduled_hours_per_week,
        people.entry_year = {{ param('simulation_year') }} as is_new_hire,
        people.is_acquired,
        coalesce(history.opening_compensation, people.compensation) as opening_compensation,
        coalesce(history.level_id, people.level_id) as level_id,
        coalesce(history.bonus, 0)::decimal(18, 2) as bonus,
        history.termination_date,
        history.termination_reason,
        greatest(people.employee_hire_date, year_bounds.year_start) as first_date,
        coalesce(history.termination_date, year_bounds.year_end) as last_date,
        year_bounds.days_in_year
    from people
    cross join year_bounds
    left join history
        on people.employee_id = history.employee_id
    where history.termination_date is null or history.termination_date >= year_bounds.year_start
),

dated as (
    select
        employee_id,
        employee_birth_date,
        employee_hire_date,
        employee_service_date,
        scheduled_hours_per_week,
        is_new_hire,
        is_acquired,
        level_id,
        bonus,
        termination_date,
        termination_reason,
        first_date,
        last_date,
        days_in_year,
        (employee_service_date + to_years(datediff('year', employee_service_date, last_date::date)))::date
            as anniversary_in_year,
        case
            when anniversary_in_year <= last_date then anniversary_in_year
            else (employee_service_date + to_years(datediff('year', employee_service_date, last_date::date) - 1))::date
        end as last_anniversary,
        case
            when anniversary_in_year > last_date then anniversary_in_year
            else (employee_service_date + to_years(datediff('year', employee_service_date, last_date::date) + 1))::date
        end as next_anniversary
    from present
),

rates as (
    select
        employee_id,
        first_date as from_date,
        0 as from_sequence,
        opening_compensation as rate
    from present
    union all
    select
        employee_id,
        effective_date as from_date,
        event_sequence as from_sequence,
        compensation_after as rate
    from ledger
    where
        simulation_year = {{ param('simulation_year') }}
        and event_type in ('promotion', 'raise')
),

segments as (
    select
        rates.employee_id,
        rates.rate,
        rates.from_date,
        rates.from_sequence,
        lead(rates.from_date, 1, present.last_date + 1) over segment_order as to_date
    from rates
    inner join present
        on rates.employee_id = present.employee_id
    window segment_order as (partition by rates.employee_id order by rates.from_date, rates.from_sequence)
),

paid as (
    select
        employee_id,
        sum(rate * (to_date - from_date)) as rate_days,
        arg_max(rate, from_sequence) as closing_rate
    from segments
    group by employee_id
),

replayed as (
    select
        present.employee_id,
        present.employee_birth_date,
        present.employee_hire_date,
        case when present.termination_date is null then 'active' else 'terminated' end as employment_status,
        case
            when present.is_new_hire and present.is_acquired then 'acquired'
            when present.is_new_hire then 'new_hire'
            when present.termination_date is null then 'continuous'
            else 'experienced'
        end
        || case when present.termination_date is null then '_active' else '_termination' end as detailed_status_code,
        present.termination_date,
        present.termination_reason,
        present.level_id,
        {{ completed_years('present.employee_birth_date', 'present.last_date') }} as current_age,
        round(
            {{ completed_years('present.employee_service_date', 'present.last_date') }}
            + (present.last_date - present.last_anniversary) / (present.next_anniversary - present.last_anniversary),
            4
        )::decimal(9, 4) as current_tenure,
        age_bands.age_band,
        tenure_bands.tenure_band,
        paid.closing_rate as current_compensation,
        ({{ per_year('paid.rate_days', 'present.days_in_year') }} + present.bonus)::decimal(18, 2)
            as prorated_annual_compensation,
        present.bonus as bonus_amount,
        round(
            present.scheduled_hours_per_week * 52 * (present.last_date - present.first_date + 1) / present.days_in_year,
            2
        )::decimal(9, 2) as annual_hours
    from dated as present
    inner join paid
        on present.employee_id = paid.employee_id
    inner join {{ parameters('age_bands') }} as age_bands
        on
            {{ completed_years('present.employee_birth_date', 'present.last_date') }} >= age_bands.age_from
            and {{ completed_years('present.employee_birth_date', 'present.last_date') }}
            < coalesce(age_bands.age_to, 999)
    inner join {{ parameters('tenure_bands') }} as tenure_bands
        on
            {{ completed_years('present.employee_service_date', 'present.last_date') }} >= tenure_bands.tenure_from
            and {{ completed_years('present.employee_service_date', 'present.last_date') }}
            < coalesce(tenure_bands.tenure_to, 999)
),

{{ differences_from_snapshot([
    'employee_birth_date',
    'employee_hire_date',
    'employment_status',
    'detailed_status_code',
    'termination_date',
    'termination_reason',
    'level_id',
    'current_age',
    'current_tenure',
    'age_band',
    'tenure_band',
    'current_compensation',
    'prorated_annual_compensation',
    'bonus_amount',
    'annual_hours'
]) }}
