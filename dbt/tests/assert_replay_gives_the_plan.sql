{{ config(tags=['final_year']) }}
-- Rebuilding the plan columns of the snapshot from the census and the ledger alone gives the same figures.
-- It reads no working model and no earlier snapshot. Other marts tell it the entry dates of the census's people, most
-- of which lie before the first event, and the age, service and last day, which the other replay proves.
with recursive

year_bounds as (
    select
        make_date({{ param('simulation_year', 'integer') }}, 1, 1) as year_start,
        make_date({{ param('simulation_year', 'integer') }}, 12, 31) as year_end,
        dayofyear(make_date({{ param('simulation_year', 'integer') }}, 12, 31)) as days_in_year
),

ledger as not materialized (
    select
        employee_id,
        simulation_year,
        event_type,
        event_category,
        effective_date,
        compensation_before,
        compensation_after,
        level_after,
        deferral_rate_after,
        amount,
        case when event_type in ('eligibility', 'contribution') then event_details end as event_details,
        simulation_year = {{ param('simulation_year', 'integer') }} as is_this_year,
        simulation_year * 1000 + event_sequence as position
    from {{ ref('fct_yearly_events') }}
    where simulation_year <= {{ param('simulation_year', 'integer') }}
),

people as (
    select
        snapshot.employee_id,
        snapshot.current_age,
        floor(snapshot.current_tenure)::integer as completed_years,
        snapshot.termination_date,
        greatest(snapshot.employee_hire_date, year_bounds.year_start) as first_date,
        coalesce(snapshot.termination_date, year_bounds.year_end) as last_date,
        year_bounds.days_in_year,
        entrants.deferral_entry_date,
        entrants.match_entry_date,
        entrants.entry_level_id,
        entrants.entry_compensation,
        entrants.department,
        coalesce(census.employee_deferral_rate, 0)::decimal(9, 6) as census_rate,
        census.employee_enrollment_date as census_enrollment_date,
        entrants.plan_eligible_override as census_override,
        case when census.employee_deferral_rate > 0 then coalesce(census.enrollment_method, 'voluntary') end
            as census_method,
        (coalesce(census.employee_account_balance, 0) * 100)::hugeint as employee_first_cents,
        (coalesce(census.match_account_balance, 0) * 100)::hugeint as match_first_cents,
        (coalesce(census.core_account_balance, 0) * 100)::hugeint as core_first_cents
    from {{ ref('fct_workforce_snapshot') }} as snapshot
    cross join year_bounds
    inner join {{ ref('dim_employee') }} as entrants
        on snapshot.employee_id = entrants.employee_id
    left join {{ source('inputs', 'census') }} as census
        on
            entrants.employee_id = census.employee_id
            and entrants.origin = 'census'
    where snapshot.simulation_year = {{ param('simulation_year', 'integer') }}
),

histories as (
    select
        employee_id,
        arg_max(level_after, position) filter (where not is_this_year) as opening_level_id,
        arg_max(compensation_after, position) filter (where not is_this_year) as opening_compensation,
        max(effective_date) filter (where event_type = 'eligibility') as eligible_from,
        arg_max((event_details ->> 'match_entry_date')::date, position) filter (where event_type = 'eligibility')
            as match_eligible_from,
        arg_max(deferral_rate_after, position) as deferral_rate,
        max(effective_date) filter (where event_type = 'enrollment') as enrollment_date,
        arg_max(event_category, position) filter (where event_type = 'enrollment') as enrollment_category,
        arg_max(event_category, position) filter (where event_type = 'enrollment' or event_category = 'opt_out')
            as last_step,
        count(*) filter (where event_type = 'deferral_escalation') as escalations,
        sum(amount) filter (where is_this_year and event_type = 'contribution') as employee_amount,
        any_value(event_details) filter (where is_this_year and event_type = 'contribution') as details,
        sum(amount) filter (where is_this_year and event_type = 'employer_match') as match_amount,
        sum(amount) filter (where is_this_year and event_type = 'employer_core') as core_amount,
        sum(amount) filter (where is_this_year and event_type = 'forfeiture') as forfeiture,
        bool_or(is_this_year and event_type = 'hce_status') as is_hce
    from ledger
    group by employee_id
),

money as (
    select
        employee_id,
        simulation_year,
        coalesce(sum(amount * 100) filter (where event_type = 'contribution'), 0)::hugeint as employee_cents,
        coalesce(sum(amount * 100) filter (where event_type = 'employer_match'), 0)::hugeint as match_cents,
        coalesce(sum(amount * 100) filter (where event_type = 'employer_core'), 0)::hugeint as core_cents
    from ledger
    where
        not is_this_year
        and event_type in ('contribution', 'employer_match', 'employer_core')
    group by employee_id, simulation_year
),

-- the accounts on 1 January of each year, from those of the census on
accounts as (
    select
        employee_id,
        {{ param('start_year', 'integer') }} as simulation_year,
        ({{ param('annual_return', 'decimal(9, 6)') }} * 1000000)::hugeint as millionths,
        employee_first_cents as employee_cents,
        match_first_cents as match_cents,
        core_first_cents as core_cents
    from people
    union all
    select
        accounts.employee_id,
        accounts.simulation_year + 1 as simulation_year,
        accounts.millionths,
        {{ rounded_ratio(
            '(accounts.employee_cents * (2000000 + 2 * accounts.millionths) '
            ~ '+ coalesce(money.employee_cents, 0) * (2000000 + accounts.millionths))',
            '2000000'
        ) }} as employee_cents,
        {{ rounded_ratio(
            '(accounts.match_cents * (2000000 + 2 * accounts.millionths) '
            ~ '+ coalesce(money.match_cents, 0) * (2000000 + accounts.millionths))',
            '2000000'
        ) }} as match_cents,
        {{ rounded_ratio(
            '(accounts.core_cents * (2000000 + 2 * accounts.millionths) '
            ~ '+ coalesce(money.core_cents, 0) * (2000000 + accounts.millionths))',
            '2000000'
        ) }} as core_cents
    from accounts
    left join money
        on
            accounts.employee_id = money.employee_id
            and accounts.simulation_year = money.simulation_year
    where accounts.simulation_year < {{ param('simulation_year', 'integer') }}
),

opened as (
    select
        people.*,
        histories.deferral_rate,
        histories.enrollment_date,
        histories.enrollment_category,
        histories.last_step,
        histories.escalations,
        histories.employee_amount,
        histories.details,
        histories.match_amount,
        histories.core_amount,
        histories.forfeiture,
        histories.is_hce,
        people.census_override is not null
        or not exists (
            select 1
            from {{ source('parameters', 'excluded_groups') }} as groups
            where
                (
                    groups.kind = 'level'
                    and groups.name = coalesce(histories.opening_level_id, people.entry_level_id)::varchar
                )
                or (groups.kind = 'department' and groups.name = people.department)
        ) as is_included,
        coalesce(histories.eligible_from, people.deferral_entry_date) as eligibility_date,
        coalesce(histories.match_eligible_from, people.match_entry_date) as match_from,
        case
            when {{ param('compensation_from', 'varchar') }} = 'plan_year' then people.first_date
            else greatest(people.first_date, coalesce(histories.match_eligible_from, people.match_entry_date))
        end as pay_from,
        coalesce(histories.opening_compensation, people.entry_compensation) as opening_rate,
        (dayofyear(people.last_date) * ({{ param('annual_return', 'decimal(9, 6)') }} * 1000000))::hugeint
            as return_days,
        accounts.employee_cents as employee_opening,
        accounts.match_cents as match_opening,
        accounts.core_cents as core_opening
    from people
    inner join accounts
        on
            people.employee_id = accounts.employee_id
            and accounts.simulation_year = {{ param('simulation_year', 'integer') }}
    left join histories
        on people.employee_id = histories.employee_id
),

raised as (
    select
        opened.employee_id,
        sum(
            (ledger.compensation_after - ledger.compensation_before)
            * greatest(opened.last_date - greatest(ledger.effective_date, opened.pay_from) + 1, 0)
        ) as change_days
    from opened
    inner join ledger
        on opened.employee_id = ledger.employee_id
    where
        ledger.is_this_year
        and ledger.event_type in ('promotion', 'raise')
    group by opened.employee_id
),

vested as (
    select
        opened.employee_id,
        max(schedules.vested_rate) filter (where schedules.contribution_source = 'match') as match_vested_rate,
        max(schedules.vested_rate) filter (where schedules.contribution_source = 'core') as core_vested_rate
    from opened
    inner join {{ source('parameters', 'vesting_schedules') }} as schedules
        on
            opened.completed_years >= schedules.years_from
            and opened.completed_years < coalesce(schedules.years_to, 999)
    group by opened.employee_id
),

replayed as (
    select
        opened.employee_id,
        case
            when not opened.is_included or opened.match_from is null or opened.match_from > opened.last_date then 0
            else least(
                limits.compensation_limit,
                {{ per_year(
                    'opened.opening_rate * greatest(opened.last_date - opened.pay_from + 1, 0) '
                    ~ '+ coalesce(raised.change_days, 0)',
                    'opened.days_in_year'
                ) }}
            )
        end::decimal(18, 2) as plan_compensation,
        case when opened.is_included then opened.eligibility_date end as eligibility_date,
        opened.is_included and coalesce(opened.eligibility_date <= opened.last_date, false) as is_eligible,
        coalesce(opened.deferral_rate, opened.census_rate) > 0 as is_enrolled,
        coalesce(opened.enrollment_date, opened.census_enrollment_date) as enrollment_date,
        case
            when opened.enrollment_category in ('automatic', 'reenrollment') then 'auto'
            when opened.enrollment_category is not null then 'voluntary'
            else opened.census_method
        end as enrollment_method,
        case
            when opened.last_step is null then opened.census_rate = 0 and opened.census_enrollment_date is not null
            else opened.last_step = 'opt_out'
        end as has_opted_out,
        coalesce(opened.deferral_rate, opened.census_rate) as current_deferral_rate,
        coalesce(opened.escalations, 0)::integer as escalation_count,
        coalesce(opened.employee_amount, 0)::decimal(18, 2) as employee_contribution_amount,
        coalesce((opened.details ->> 'pre_tax')::decimal(18, 2), 0) as pre_tax_amount,
        coalesce((opened.details ->> 'roth')::decimal(18, 2), 0) as roth_amount,
        coalesce((opened.details ->> 'catch_up')::decimal(18, 2), 0) as catch_up_amount,
        coalesce((opened.details ->> 'after_tax')::decimal(18, 2), 0) as after_tax_amount,
        coalesce(opened.match_amount, 0)::decimal(18, 2) as employer_match_amount,
        coalesce(opened.core_amount, 0)::decimal(18, 2) as employer_core_amount,
        (
            coalesce(opened.employee_amount, 0) - coalesce((opened.details ->> 'catch_up')::decimal(18, 2), 0)
            + coalesce(opened.match_amount, 0) + coalesce(opened.core_amount, 0)
        )::decimal(18, 2) as annual_additions_amount,
        case
            when opened.current_age >= {{ param('normal_retirement_age', 'integer') }} then 1
            else vested.match_vested_rate
        end::decimal(9, 6) as match_vested_rate,
        case
            when opened.current_age >= {{ param('normal_retirement_age', 'integer') }} then 1
            else vested.core_vested_rate
        end::decimal(9, 6) as core_vested_rate,
        {{ dollars(rounded_ratio(
            'opened.employee_opening * (2000000::hugeint * opened.days_in_year + 2 * opened.return_days) '
            ~ '+ (coalesce(opened.employee_amount, 0) * 100)::hugeint '
            ~ '* (2000000::hugeint * opened.days_in_year + opened.return_days)',
            '(2000000::hugeint * opened.days_in_year)'
        )) }} as employee_account_balance,
        {{ dollars(rounded_ratio(
            'opened.match_opening * (2000000::hugeint * opened.days_in_year + 2 * opened.return_days) '
            ~ '+ (coalesce(opened.match_amount, 0) * 100)::hugeint '
            ~ '* (2000000::hugeint * opened.days_in_year + opened.return_days)',
            '(2000000::hugeint * opened.days_in_year)'
        )) }} as match_account_balance,
        {{ dollars(rounded_ratio(
            'opened.core_opening * (2000000::hugeint * opened.days_in_year + 2 * opened.return_days) '
            ~ '+ (coalesce(opened.core_amount, 0) * 100)::hugeint '
            ~ '* (2000000::hugeint * opened.days_in_year + opened.return_days)',
            '(2000000::hugeint * opened.days_in_year)'
        )) }} as core_account_balance,
        coalesce(opened.forfeiture, 0)::decimal(18, 2) as forfeiture_amount,
        coalesce(opened.is_hce, false) as is_hce
    from opened
    cross join {{ ref('stg_irs_limits') }} as limits
    inner join vested
        on opened.employee_id = vested.employee_id
    left join raised
        on opened.employee_id = raised.employee_id
),

snapshot as (
    select
        employee_id,
        plan_compensation,
        eligibility_date,
        is_eligible,
        is_enrolled,
        enrollment_date,
        enrollment_method,
        has_opted_out,
        current_deferral_rate,
        escalation_count,
        employee_contribution_amount,
        pre_tax_amount,
        roth_amount,
        catch_up_amount,
        after_tax_amount,
        employer_match_amount,
        employer_core_amount,
        annual_additions_amount,
        match_vested_rate,
        core_vested_rate,
        employee_account_balance,
        match_account_balance,
        core_account_balance,
        forfeiture_amount,
        is_hce
    from {{ ref('fct_workforce_snapshot') }}
    where simulation_year = {{ param('simulation_year', 'integer') }}
),

-- a table's name stands for its whole row
replayed_rows as (
    select
        employee_id,
        replayed as contents
    from replayed
),

snapshot_rows as (
    select
        employee_id,
        snapshot as contents
    from snapshot
)

select
    coalesce(replayed_rows.employee_id, snapshot_rows.employee_id) as employee_id,
    replayed_rows.contents as replayed,
    snapshot_rows.contents as snapshot
from replayed_rows
full outer join snapshot_rows
    on replayed_rows.employee_id = snapshot_rows.employee_id
where replayed_rows.contents is distinct from snapshot_rows.contents
