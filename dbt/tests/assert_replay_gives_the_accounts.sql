{{ config(tags=['final_year']) }}
-- Adding up from the census and the ledger alone what everyone and the employer paid in, and carrying the accounts with
-- their return from year to year, gives the contributions, vesting, balances and forfeitures of the snapshot. It reads
-- no working model and no earlier snapshot; of the last one it takes age, service and the last day, which the replay of
-- the snapshot proves.
with recursive

year_bounds as (
    select
        make_date({{ param('simulation_year') }}, 12, 31) as year_end,
        dayofyear(make_date({{ param('simulation_year') }}, 12, 31)) as days_in_year
),

returns as (
    select
        simulation_year,
        (annual_return * 1000000)::bigint as millionths
    from {{ source('parameters', 'annual_rates') }}
),

money as (
    select
        employee_id,
        simulation_year,
        coalesce(sum((amount * 100)::bigint) filter (where event_type in {{ event_types_into('employee') }}), 0)::bigint
            as employee_cents,
        coalesce(sum((amount * 100)::bigint) filter (where event_type in {{ event_types_into('match') }}), 0)::bigint
            as match_cents,
        coalesce(sum((amount * 100)::bigint) filter (where event_type in {{ event_types_into('core') }}), 0)::bigint
            as core_cents
    from {{ ref('fct_yearly_events') }}
    where
        simulation_year <= {{ param('simulation_year') }}
        and event_type in {{ event_types_about(['money']) }}
    group by employee_id, simulation_year
),

-- the accounts on 1 January of each year, from those of the census on
accounts as (
    select
        people.employee_id,
        {{ param('start_year') }} as simulation_year,
        (coalesce(census.employee_account_balance, 0) * 100)::bigint as employee_cents,
        (coalesce(census.match_account_balance, 0) * 100)::bigint as match_cents,
        (coalesce(census.core_account_balance, 0) * 100)::bigint as core_cents
    from {{ ref('fct_workforce_snapshot') }} as people
    left join {{ source('inputs', 'census') }} as census
        on people.employee_id = census.employee_id
    where people.simulation_year = {{ param('simulation_year') }}
    union all
    select
        accounts.employee_id,
        accounts.simulation_year + 1 as simulation_year,
        {{ rounded_ratio(
            '(accounts.employee_cents * (2000000 + 2 * returns.millionths) '
            ~ '+ coalesce(money.employee_cents, 0) * (2000000 + returns.millionths))',
            '2000000'
        ) }} as employee_cents,
        {{ rounded_ratio(
            '(accounts.match_cents * (2000000 + 2 * returns.millionths) '
            ~ '+ coalesce(money.match_cents, 0) * (2000000 + returns.millionths))',
            '2000000'
        ) }} as match_cents,
        {{ rounded_ratio(
            '(accounts.core_cents * (2000000 + 2 * returns.millionths) '
            ~ '+ coalesce(money.core_cents, 0) * (2000000 + returns.millionths))',
            '2000000'
        ) }} as core_cents
    from accounts
    inner join returns
        on accounts.simulation_year = returns.simulation_year
    left join money
        on
            accounts.employee_id = money.employee_id
            and accounts.simulation_year = money.simulation_year
    where accounts.simulation_year < {{ param('simulation_year') }}
),

-- by which rules employer money vested in each year; they may change only on 1 January
rules as (
    select
        years.simulation_year,
        years.normal_retirement_age,
        string_agg(
            schedules.contribution_source || ' ' || schedules.years_from || ' ' || schedules.vested_rate,
            ';'
            order by schedules.contribution_source, schedules.years_from
        ) as schedule
    from {{ source('parameters', 'annual_rates') }} as years
    inner join {{ source('parameters', 'vesting_schedules') }} as schedules
        on years.simulation_year = schedules.simulation_year
    where years.simulation_year <= {{ param('simulation_year') }}
    group by years.simulation_year, years.normal_retirement_age
),

changes as (
    select
        *,
        coalesce(
            (schedule, normal_retirement_age)
            <> lag((schedule, normal_retirement_age)) over (order by simulation_year),
            false
        ) as is_changed
    from rules
),

-- the years whose close nobody falls below: this one, and each one before a change
counted_years as (
    select
        simulation_year,
        make_date(simulation_year, 12, 31) as closed_on,
        normal_retirement_age,
        max(case when is_changed then simulation_year end) over (order by simulation_year) as changed_in,
        coalesce(lead(is_changed) over (order by simulation_year), true) as is_counted
    from changes
),

years_of_service as (
    select unnest(range(0, 221)) as completed_years
),

scales as (
    select
        counted_years.simulation_year,
        counted_years.normal_retirement_age,
        counted_years.changed_in,
        years.completed_years,
        schedules.contribution_source,
        max(schedules.vested_rate) as best_rate,
        max(schedules.vested_rate) filter (where schedules.simulation_year = counted_years.simulation_year)
            as scheduled_rate
    from counted_years
    cross join years_of_service as years
    inner join {{ source('parameters', 'vesting_schedules') }} as schedules
        on
            counted_years.simulation_year >= schedules.simulation_year
            and years.completed_years >= schedules.years_from
            and years.completed_years < coalesce(schedules.years_to, 999)
    where counted_years.is_counted
    group by all
),

standings as (
    select
        people.employee_id,
        counted_years.simulation_year,
        counted_years.normal_retirement_age,
        people.termination_date is not null and counted_years.simulation_year = people.simulation_year as is_leaver,
        coalesce(people.termination_reason in ('death', 'disability'), false)
        and counted_years.simulation_year = people.simulation_year as is_disabled_or_dead,
        coalesce(
            entrants.employee_service_date + to_years(3) <= make_date(counted_years.changed_in, 1, 1), false
        ) as is_protected,
        case
            when counted_years.simulation_year = people.simulation_year then people.current_age
            else {{ completed_years('people.employee_birth_date', 'counted_years.closed_on') }}
        end as age,
        case
            when counted_years.simulation_year = people.simulation_year then floor(people.current_tenure)::bigint
            else {{ completed_years('entrants.employee_service_date', 'counted_years.closed_on') }}
        end as completed_years
    from {{ ref('fct_workforce_snapshot') }} as people
    inner join {{ ref('dim_employee') }} as entrants
        on people.employee_id = entrants.employee_id
    inner join counted_years
        on
            counted_years.is_counted
            and people.employee_hire_date <= counted_years.closed_on
    where people.simulation_year = {{ param('simulation_year') }}
),

-- in a year with a partial termination everybody who leaves is fully vested
turnover as (
    select
        count(*) as participants,
        count(*) filter (where termination_reason in ('layoff', 'involuntary')) as exits
    from {{ ref('fct_workforce_snapshot') }}
    where
        simulation_year = {{ param('simulation_year') }}
        and is_eligible
),

partial_termination as (
    select
        coalesce(
            bool_or(items.fully_vested = 'true')
            or bool_or(
                items.fully_vested = 'auto' and turnover.exits > 0 and 5 * turnover.exits >= turnover.participants
            ),
            false
        ) as is_one
    from {{ source('parameters', 'reductions') }} as items
    cross join turnover
    where items.simulation_year = {{ param('simulation_year') }}
),

vested as (
    select
        standings.employee_id,
        scales.contribution_source,
        max(
            case
                when standings.age >= standings.normal_retirement_age or standings.is_disabled_or_dead then 1
                when standings.is_leaver and partial_termination.is_one then 1
                when standings.is_protected then scales.best_rate
                else scales.scheduled_rate
            end
        ) as vested_rate
    from standings
    cross join partial_termination
    inner join scales
        on
            standings.simulation_year = scales.simulation_year
            and standings.completed_years = scales.completed_years
    group by standings.employee_id, scales.contribution_source
),

details as (
    select
        employee_id,
        event_details
    from {{ ref('fct_yearly_events') }}
    where
        simulation_year = {{ param('simulation_year') }}
        and event_type = 'contribution'
),

forfeited as (
    select
        employee_id,
        sum(amount) as amount
    from {{ ref('fct_yearly_events') }}
    where
        simulation_year = {{ param('simulation_year') }}
        and event_type = 'forfeiture'
    group by employee_id
),

closing as (
    select
        people.employee_id,
        match_vested.vested_rate as match_vested_rate,
        core_vested.vested_rate as core_vested_rate,
        accounts.employee_cents as employee_opening,
        accounts.match_cents as match_opening,
        accounts.core_cents as core_opening,
        coalesce(money.employee_cents, 0) as employee_cents,
        coalesce(money.match_cents, 0) as match_cents,
        coalesce(money.core_cents, 0) as core_cents,
        coalesce((details.event_details ->> 'pre_tax')::decimal(18, 2), 0) as pre_tax,
        coalesce((details.event_details ->> 'roth')::decimal(18, 2), 0) as roth,
        coalesce((details.event_details ->> 'catch_up')::decimal(18, 2), 0) as catch_up,
        coalesce((details.event_details ->> 'after_tax')::decimal(18, 2), 0) as after_tax,
        coalesce(forfeited.amount, 0)::decimal(18, 2) as forfeiture,
        2000000::hugeint * year_bounds.days_in_year as unit,
        returns.millionths::hugeint * dayofyear(coalesce(people.termination_date, year_bounds.year_end))
            as return_days
    from {{ ref('fct_workforce_snapshot') }} as people
    cross join year_bounds
    inner join returns
        on people.simulation_year = returns.simulation_year
    inner join vested as match_vested
        on
            people.employee_id = match_vested.employee_id
            and match_vested.contribution_source = 'match'
    inner join vested as core_vested
        on
            people.employee_id = core_vested.employee_id
            and core_vested.contribution_source = 'core'
    inner join accounts
        on
            people.employee_id = accounts.employee_id
            and people.simulation_year = accounts.simulation_year
    left join money
        on
            people.employee_id = money.employee_id
            and people.simulation_year = money.simulation_year
    left join details
        on people.employee_id = details.employee_id
    left join forfeited
        on people.employee_id = forfeited.employee_id
    where people.simulation_year = {{ param('simulation_year') }}
),

replayed as (
    select
        employee_id,
        {{ dollars('employee_cents') }} as employee_contribution_amount,
        pre_tax as pre_tax_amount,
        roth as roth_amount,
        catch_up as catch_up_amount,
        after_tax as after_tax_amount,
        {{ dollars('match_cents') }} as employer_match_amount,
        {{ dollars('core_cents') }} as employer_core_amount,
        ({{ dollars('employee_cents + match_cents + core_cents') }} - catch_up)::decimal(18, 2)
            as annual_additions_amount,
        match_vested_rate::decimal(9, 6) as match_vested_rate,
        core_vested_rate::decimal(9, 6) as core_vested_rate,
        {{ dollars(rounded_ratio(
            'employee_opening * (unit + 2 * return_days) + employee_cents * (unit + return_days)', 'unit'
        )) }} as employee_account_balance,
        {{ dollars(rounded_ratio(
            'match_opening * (unit + 2 * return_days) + match_cents * (unit + return_days)', 'unit'
        )) }} as match_account_balance,
        {{ dollars(rounded_ratio(
            'core_opening * (unit + 2 * return_days) + core_cents * (unit + return_days)', 'unit'
        )) }} as core_account_balance,
        forfeiture as forfeiture_amount
    from closing
),

{{ differences_from_snapshot([
    'employee_contribution_amount',
    'pre_tax_amount',
    'roth_amount',
    'catch_up_amount',
    'after_tax_amount',
    'employer_match_amount',
    'employer_core_amount',
    'annual_additions_amount',
    'match_vested_rate',
    'core_vested_rate',
    'employee_account_balance',
    'match_account_balance',
    'core_account_balance',
    'forfeiture_amount'
]) }}
