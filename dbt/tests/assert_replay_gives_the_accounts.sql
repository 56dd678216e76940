{{ config(tags=['final_year']) }}
-- Adding up from the census and the ledger alone what everyone and the employer paid in, and carrying the accounts with
-- their return from year to year, gives the contributions, vesting, balances and forfeitures of the snapshot. It reads
-- no working model and no earlier snapshot; of the last one it takes age, service and the last day, which the replay of
-- the snapshot proves.
with recursive

year_bounds as (
    select
        make_date({{ param('simulation_year') }}, 12, 31) as year_end,
        dayofyear(make_date({{ param('simulation_year') }}, 12, 31)) as days_in_year,
        ({{ param('annual_return') }} * 1000000)::bigint as millionths
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
            '(accounts.employee_cents * (2000000 + 2 * year_bounds.millionths) '
            ~ '+ coalesce(money.employee_cents, 0) * (2000000 + year_bounds.millionths))',
            '2000000'
        ) }} as employee_cents,
        {{ rounded_ratio(
            '(accounts.match_cents * (2000000 + 2 * year_bounds.millionths) '
            ~ '+ coalesce(money.match_cents, 0) * (2000000 + year_bounds.millionths))',
            '2000000'
        ) }} as match_cents,
        {{ rounded_ratio(
            '(accounts.core_cents * (2000000 + 2 * year_bounds.millionths) '
            ~ '+ coalesce(money.core_cents, 0) * (2000000 + year_bounds.millionths))',
            '2000000'
        ) }} as core_cents
    from accounts
    cross join year_bounds
    left join money
        on
            accounts.employee_id = money.employee_id
            and accounts.simulation_year = money.simulation_year
    where accounts.simulation_year < {{ param('simulation_year') }}
),

vested as (
    select
        years.completed_years,
        max(schedules.vested_rate) filter (where schedules.contribution_source = 'match') as match_vested_rate,
        max(schedules.vested_rate) filter (where schedules.contribution_source = 'core') as core_vested_rate
    from (select unnest(range(0, 221)) as completed_years) as years
    inner join {{ source('parameters', 'vesting_schedules') }} as schedules
        on
            years.completed_years >= schedules.years_from
            and years.completed_years < coalesce(schedules.years_to, 999)
    group by years.completed_years
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
        people.current_age >= {{ param('normal_retirement_age') }}
        or coalesce(people.termination_reason in ('death', 'disability'), false) as is_fully_vested,
        vested.match_vested_rate,
        vested.core_vested_rate,
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
        year_bounds.millionths::hugeint * dayofyear(coalesce(people.termination_date, year_bounds.year_end))
            as return_days
    from {{ ref('fct_workforce_snapshot') }} as people
    cross join year_bounds
    inner join vested
        on floor(people.current_tenure)::bigint = vested.completed_years
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
        case when is_fully_vested then 1 else match_vested_rate end::decimal(9, 6) as match_vested_rate,
        case when is_fully_vested then 1 else core_vested_rate end::decimal(9, 6) as core_vested_rate,
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
