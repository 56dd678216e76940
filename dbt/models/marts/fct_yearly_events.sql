-- The ledger: one row for each event of the simulated year, in a stated order within each person: the changes in the
-- order of int_changes, then what was paid on the last day, in the order of the register, and last of all a
-- termination. The id is a UUID made from what the event is, so the same run gives the same ids.
-- Long because every kind of payment has a select of its own.
with

-- how many changes of everyone come before their payments
changes_before as (
    select
        employee_id,
        count(*)::integer as changes
    from {{ ref('int_changes') }}
    where event_type <> 'termination'
    group by employee_id
),

-- what was paid for everyone, each amount by the name of its event, and how many events come up to each payment
payments as (
    select
        people.employee_id,
        people.as_of,
        (additions.pre_tax + additions.roth + additions.after_tax)::decimal(18, 2) as contribution,
        additions.pre_tax,
        additions.roth,
        additions.catch_up,
        additions.after_tax,
        additions.contribution_cut,
        additions.match_amount as employer_match,
        additions.core_amount as employer_core,
        additions.reallocated,
        (accounts.match_forfeiture + accounts.core_forfeiture)::decimal(18, 2) as forfeiture,
        accounts.match_forfeiture,
        accounts.core_forfeiture,
        coalesce(changes_before.changes, 0) as up_to_changes,
        {{ running_count_of_payments('up_to_changes') }}
    from {{ ref('int_employment') }} as people
    left join changes_before
        on people.employee_id = changes_before.employee_id
    inner join {{ ref('int_accounts') }} as accounts
        on people.employee_id = accounts.employee_id
    left join {{ ref('int_annual_additions') }} as additions
        on people.employee_id = additions.employee_id
),

-- a column that a kind of event does not name is null
events as (
    select
        employee_id,
        event_type,
        event_category,
        effective_date,
        change_number as event_sequence,
        ordinal,
        compensation_before,
        compensation_after,
        level_before,
        level_after,
        deferral_rate_before,
        deferral_rate_after,
        amount,
        event_probability,
        random_draw,
        event_details
    from {{ ref('int_changes') }}
    where event_type <> 'termination'
    union all by name
    select
        changes.employee_id,
        changes.event_type,
        changes.event_category,
        changes.effective_date,
        payments.up_to_all + 1 as event_sequence,
        changes.event_probability,
        changes.random_draw,
        changes.event_details
    from {{ ref('int_changes') }} as changes
    inner join payments
        on changes.employee_id = payments.employee_id
    where changes.event_type = 'termination'
    union all by name
    select
        payments.employee_id,
        'contribution' as event_type,
        'elective_deferral' as event_category,
        payments.as_of as effective_date,
        payments.up_to_contribution as event_sequence,
        payments.contribution as amount,
        concat(
            '{"after_tax":', payments.after_tax, ',"catch_up":', payments.catch_up,
            ',"elected":', deferrals.elected,
            ',"limit_reason":',
            coalesce(
                '"' || case when payments.contribution_cut > 0 then '415(c)' else deferrals.limit_reason end || '"',
                'null'
            ),
            ',"pre_tax":', payments.pre_tax, ',"roth":', payments.roth, '}'
        ) as event_details
    from payments
    inner join {{ ref('int_elective_deferrals') }} as deferrals
        on payments.employee_id = deferrals.employee_id
    where payments.contribution > 0
    union all by name
    select
        payments.employee_id,
        'employer_match' as event_type,
        formulas.name as event_category,
        payments.as_of as effective_date,
        payments.up_to_employer_match as event_sequence,
        payments.employer_match as amount,
        concat('{"before_limits":', matches.match_amount, ',"plan_compensation":', matches.plan_compensation, '}')
            as event_details
    from payments
    inner join {{ ref('int_employer_match') }} as matches
        on payments.employee_id = matches.employee_id
    inner join {{ parameters('match_formulas') }} as formulas
        on formulas.formula = 'current'
    where payments.employer_match > 0
    union all by name
    select
        payments.employee_id,
        'employer_core' as event_type,
        case
            when formulas.name = 'none' then 'reallocated_forfeitures'
            else formulas.name
        end as event_category,
        payments.as_of as effective_date,
        payments.up_to_employer_core as event_sequence,
        payments.employer_core as amount,
        '{"before_limits":' || coalesce(core.core_amount, 0)::decimal(18, 2)
        || ',"plan_compensation":' || {{ dollars('people.core_pay_cents') }}
        || ',"reallocated_forfeitures":' || payments.reallocated || '}' as event_details
    from payments
    inner join {{ ref('int_eligibility') }} as people
        on payments.employee_id = people.employee_id
    left join {{ ref('int_employer_core') }} as core
        on payments.employee_id = core.employee_id
    cross join {{ parameters('core_formulas') }} as formulas
    where payments.employer_core > 0
    union all by name
    select
        employee_id,
        'forfeiture' as event_type,
        'unvested' as event_category,
        as_of as effective_date,
        up_to_forfeiture as event_sequence,
        forfeiture as amount,
        '{"core":' || core_forfeiture || ',"match":' || match_forfeiture || '}' as event_details
    from payments
    where forfeiture > 0
)

select
    {{ param('scenario_id') }} as scenario_id,
    {{ param('plan_design_id') }} as plan_design_id,
    md5_number(concat(
        {{ param('scenario_id') }}, '|', {{ param('plan_design_id') }}, '|', employee_id,
        '|', {{ param('simulation_year') }}, '|', event_type, '|', coalesce(ordinal, 1)
    ))::uuid as event_id,
    {{ param('simulation_year') }} as simulation_year,
    employee_id,
    event_type,
    event_category,
    effective_date,
    event_sequence,
    compensation_before,
    compensation_after,
    level_before,
    level_after,
    deferral_rate_before,
    deferral_rate_after,
    amount,
    event_probability,
    random_draw,
    event_details
from events
