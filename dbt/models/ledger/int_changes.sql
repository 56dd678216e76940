-- The year's events that change what somebody is, earns or saves, as the ledger will hold them, numbered within each
-- person by date, then in the order of the register. The other events are payments, which are all of the last day.
-- Long because every kind of event has a select of its own.
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
changes as (
    select
        employee_id,
        'hire' as event_type,
        hire_category as event_category,
        hire_date as effective_date,
        {{ order_in_day('hire') }} as type_order,
        compensation as compensation_after,
        level_id as level_after,
        '{"department":' || {{ json_text('department') }} || ',"employee_birth_date":"' || birth_date
        || '","employee_class":' || {{ json_text('employee_class') }}
        || case when service_date <> hire_date then ',"employee_service_date":"' || service_date || '"' else '' end
        || ',"location":' || {{ json_text('location') }}
        || ',"scheduled_hours_per_week":' || scheduled_hours_per_week
        || ',"sex":' || {{ json_text('sex') }} || '}' as event_details
    from {{ ref('int_hires') }}
    union all by name
    select
        employee_id,
        'promotion' as event_type,
        'level_change' as event_category,
        promotion_date as effective_date,
        {{ order_in_day('promotion') }} as type_order,
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
        raise_category as event_category,
        raise_date as effective_date,
        {{ order_in_day('raise') }} as type_order,
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
        'bonus' as event_type,
        bonus_category as event_category,
        bonus_date as effective_date,
        {{ order_in_day('bonus') }} as type_order,
        amount,
        bonus_draw as random_draw,
        '{"base_compensation":' || prior_year_base_compensation || ',"paid_share":' || paid_share
        || ',"share":' || bonus_share || '}' as event_details
    from {{ ref('int_bonuses') }}
    union all by name
    select
        employee_id,
        'termination' as event_type,
        termination_reason as event_category,
        termination_date as effective_date,
        {{ order_in_day('termination') }} as type_order,
        exit_probability as event_probability,
        exit_draw as random_draw,
        event_details
    from leavers
    union all by name
    select
        hce.employee_id,
        'hce_status' as event_type,
        hce.hce_basis as event_category,
        hce.since as effective_date,
        {{ order_in_day('hce_status') }} as type_order,
        '{"prior_year_compensation":' || hce.prior_year_compensation
        || ',"threshold":' || hce.prior_year_hce_threshold || '}' as event_details
    from {{ ref('int_hce') }} as hce
    union all by name
    select
        employee_id,
        'eligibility' as event_type,
        entry_basis as event_category,
        first_may_join_on as effective_date,
        {{ order_in_day('eligibility') }} as type_order,
        '{"core_entry_date":' || coalesce('"' || core_entry_date || '"', 'null')
        || ',"match_entry_date":' || coalesce('"' || match_entry_date || '"', 'null') || '}' as event_details
    from {{ ref('int_eligibility') }}
    where first_may_join_on is not null
    union all by name
    -- who is ruled anew, where the dates change but are not reached this very day
    select
        employee_id,
        'eligibility' as event_type,
        'rule_change' as event_category,
        year_start as effective_date,
        {{ order_in_day('eligibility') }} as type_order,
        -- somebody may have both in a year
        2::bigint as ordinal,
        '{"deferral_entry_date":' || coalesce('"' || deferral_entry_date || '"', 'null')
        || ',"core_entry_date":' || coalesce('"' || core_entry_date || '"', 'null')
        || ',"match_entry_date":' || coalesce('"' || match_entry_date || '"', 'null') || '}' as event_details
    from {{ ref('int_eligibility') }}
    where
        entry_dates_changed_in = {{ param('simulation_year') }}
        and first_may_join_on is distinct from year_start
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
)

select
    employee_id,
    event_type,
    event_category,
    effective_date,
    ordinal,
    -- a lift to the minimum of a QACA and an automatic increase have one type, and may have one day
    (row_number() over (partition by employee_id order by effective_date, type_order, ordinal))::integer
        as change_number,
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
from changes
