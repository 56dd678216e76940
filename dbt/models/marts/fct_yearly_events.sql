-- The ledger: one row for each event of the simulated year, in a stated order within each person. The order is by date,
-- then hire, hce_status, eligibility, enrollment, changes of the deferral rate, promotion, raise, contribution, match,
-- core, forfeiture, termination. The id is a UUID made from what the event is, so the same run gives the same ids.
with

leavers as (
    select
        employee_id,
        termination_reason,
        termination_date,
        exit_probability,
        exit_draw,
        '{"population":"experienced"}' as event_details
    from {{ ref('int_exits') }}
    union all
    select
        employee_id,
        termination_reason,
        termination_date,
        exit_probability,
        exit_draw,
        '{"population":"new_hire"}' as event_details
    from {{ ref('int_new_hire_exits') }}
),

-- a column that a kind of event does not name is null
events as (
    select
        employee_id,
        'hire' as event_type,
        'new_hire' as event_category,
        hire_date as effective_date,
        1 as type_order,
        compensation as compensation_after,
        level_id as level_after,
        '{"department":null,"employee_birth_date":"' || birth_date
        || '","scheduled_hours_per_week":' || scheduled_hours_per_week || '}' as event_details
    from {{ ref('int_hires') }}
    union all by name
    select
        employee_id,
        'promotion' as event_type,
        'level_change' as event_category,
        promotion_date as effective_date,
        8 as type_order,
        compensation_before,
        compensation_after,
        level_before,
        level_after,
        (compensation_after - compensation_before)::decimal(18, 2) as amount,
        promotion_probability as event_probability,
        promotion_draw as random_draw,
        '{"increase_rate":' || increase_rate || '}' as event_details
    from {{ ref('int_promotions') }}
    union all by name
    select
        employee_id,
        'raise' as event_type,
        'merit_and_cola' as event_category,
        raise_date as effective_date,
        9 as type_order,
        compensation_before,
        compensation_after,
        level_id as level_before,
        level_id as level_after,
        (compensation_after - compensation_before)::decimal(18, 2) as amount,
        event_details
    from {{ ref('int_raises') }}
    union all by name
    select
        employee_id,
        'termination' as event_type,
        termination_reason as event_category,
        termination_date as effective_date,
        14 as type_order,
        exit_probability as event_probability,
        exit_draw as random_draw,
        event_details
    from leavers
    union all by name
    select
        hce.employee_id,
        'hce_status' as event_type,
        hce.hce_basis as event_category,
        make_date({{ param('simulation_year', 'integer') }}, 1, 1) as effective_date,
        2 as type_order,
        '{"prior_year_compensation":' || hce.prior_year_compensation
        || ',"threshold":' || hce.prior_year_hce_threshold || '}' as event_details
    from {{ ref('int_hce') }} as hce
    union all by name
    select
        employee_id,
        'eligibility' as event_type,
        entry_basis as event_category,
        first_may_join_on as effective_date,
        3 as type_order,
        '{"core_entry_date":' || coalesce('"' || core_entry_date || '"', 'null')
        || ',"match_entry_date":' || coalesce('"' || match_entry_date || '"', 'null') || '}' as event_details
    from {{ ref('int_eligibility') }}
    where first_may_join_on is not null
    union all by name
    select
        employee_id,
        event_type,
        event_category,
        effective_date,
        type_order,
        ordinal,
        rate_before::decimal(9, 6) as deferral_rate_before,
        rate_after::decimal(9, 6) as deferral_rate_after,
        event_probability,
        random_draw,
        event_details
    from {{ ref('int_deferral_changes') }}
    union all by name
    select
        additions.employee_id,
        'contribution' as event_type,
        'elective_deferral' as event_category,
        employment.as_of as effective_date,
        10 as type_order,
        (additions.pre_tax + additions.roth + additions.after_tax)::decimal(18, 2) as amount,
        concat(
            '{"after_tax":', additions.after_tax, ',"catch_up":', additions.catch_up,
            ',"elected":', deferrals.elected,
            ',"limit_reason":',
            coalesce(
                '"' || case when additions.contribution_cut > 0 then '415(c)' else deferrals.limit_reason end || '"',
                'null'
            ),
            ',"pre_tax":', additions.pre_tax, ',"roth":', additions.roth, '}'
        ) as event_details
    from {{ ref('int_annual_additions') }} as additions
    inner join {{ ref('int_employment') }} as employment
        on additions.employee_id = employment.employee_id
    inner join {{ ref('int_elective_deferrals') }} as deferrals
        on additions.employee_id = deferrals.employee_id
    where additions.pre_tax + additions.roth + additions.after_tax > 0
    union all by name
    select
        additions.employee_id,
        'employer_match' as event_type,
        formulas.name as event_category,
        employment.as_of as effective_date,
        11 as type_order,
        additions.match_amount as amount,
        concat('{"before_limits":', matches.match_amount, ',"plan_compensation":', matches.plan_compensation, '}')
            as event_details
    from {{ ref('int_annual_additions') }} as additions
    inner join {{ ref('int_employment') }} as employment
        on additions.employee_id = employment.employee_id
    inner join {{ ref('int_employer_match') }} as matches
        on additions.employee_id = matches.employee_id
    inner join {{ source('parameters', 'match_formulas') }} as formulas
        on formulas.formula = 'current'
    where additions.match_amount > 0
    union all by name
    select
        additions.employee_id,
        'employer_core' as event_type,
        case
            when formulas.name = 'none' then 'reallocated_forfeitures'
            else formulas.name
        end as event_category,
        employment.as_of as effective_date,
        12 as type_order,
        additions.core_amount as amount,
        '{"before_limits":' || coalesce(core.core_amount, 0)::decimal(18, 2)
        || ',"plan_compensation":' || {{ dollars('employment.core_pay_cents') }}
        || ',"reallocated_forfeitures":' || additions.reallocated || '}' as event_details
    from {{ ref('int_annual_additions') }} as additions
    inner join {{ ref('int_eligibility') }} as employment
        on additions.employee_id = employment.employee_id
    left join {{ ref('int_employer_core') }} as core
        on additions.employee_id = core.employee_id
    cross join {{ source('parameters', 'core_formulas') }} as formulas
    where additions.core_amount > 0
    union all by name
    select
        accounts.employee_id,
        'forfeiture' as event_type,
        'unvested' as event_category,
        employment.as_of as effective_date,
        13 as type_order,
        (accounts.match_forfeiture + accounts.core_forfeiture)::decimal(18, 2) as amount,
        '{"core":' || accounts.core_forfeiture || ',"match":' || accounts.match_forfeiture || '}' as event_details
    from {{ ref('int_accounts') }} as accounts
    inner join {{ ref('int_employment') }} as employment
        on accounts.employee_id = employment.employee_id
    where accounts.match_forfeiture + accounts.core_forfeiture > 0
)

select
    {{ param('scenario_id', 'varchar') }} as scenario_id,
    {{ param('plan_design_id', 'varchar') }} as plan_design_id,
    md5_number(concat(
        {{ param('scenario_id', 'varchar') }}, '|', {{ param('plan_design_id', 'varchar') }}, '|', employee_id,
        '|', {{ param('simulation_year', 'integer') }}, '|', event_type, '|', coalesce(ordinal, 1)
    ))::uuid as event_id,
    {{ param('simulation_year', 'integer') }} as simulation_year,
    employee_id,
    event_type,
    event_category,
    effective_date,
    (row_number() over (partition by employee_id order by effective_date, type_order))::integer as event_sequence,
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
