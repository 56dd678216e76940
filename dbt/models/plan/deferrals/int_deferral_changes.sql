-- Every change of a deferral rate in the year, with the rate before and after, as the ledger will hold it.
-- An enrollment that is opted out of, and the opt-out, are marked as refunded: nothing is contributed
-- between them, even when the person leaves before the opt-out.  Code section 414(w).
-- Long because every kind of change has a select of its own.
with

enrollments as (
    select
        employee_id,
        enrolled_on,
        enrollment_category,
        deferral_rate,
        enrollment_probability,
        enrollment_draw,
        will_opt_out,
        opts_out_on,
        opt_out_probability,
        opt_out_draw
    from {{ ref('int_enrollments') }}
    union all
    select
        employee_id,
        enrolled_on,
        'reenrollment' as enrollment_category,
        deferral_rate,
        null::decimal(9, 6) as enrollment_probability,
        null::double as enrollment_draw,
        will_opt_out,
        opts_out_on,
        opt_out_probability,
        opt_out_draw
    from {{ ref('int_reenrollments') }}
),

opt_outs as (
    select
        employee_id,
        enrolled_on,
        opts_out_on,
        deferral_rate,
        opt_out_probability,
        opt_out_draw
    from enrollments
    where will_opt_out
    union all
    select
        employee_id,
        enrollment_date as enrolled_on,
        pending_date as opts_out_on,
        opening_rate as deferral_rate,
        pending_probability as opt_out_probability,
        pending_draw as opt_out_draw
    from {{ ref('int_eligibility') }}
    where pending_kind = 'opt_out'
),

own_changes as (
    select
        changes.employee_id,
        changes.changed_on,
        changes.change,
        changes.increase,
        changes.change_probability,
        changes.change_draw,
        coalesce(
            case when escalations.escalation_date <= changes.changed_on then escalations.rate_after end,
            responses.rate_after,
            minima.rate_after,
            people.opening_rate
        ) as rate_before
    from {{ ref('int_own_changes') }} as changes
    inner join {{ ref('int_eligibility') }} as people
        on changes.employee_id = people.employee_id
    left join {{ ref('int_escalations') }} as escalations
        on changes.employee_id = escalations.employee_id
    left join {{ ref('int_match_responses') }} as responses
        on changes.employee_id = responses.employee_id
    left join {{ ref('int_qaca_minima') }} as minima
        on changes.employee_id = minima.employee_id
),

changes as (
    select
        employee_id,
        enrolled_on as effective_date,
        'enrollment' as event_type,
        enrollment_category as event_category,
        {{ order_in_day('enrollment') }} as type_order,
        0::decimal(9, 6) as rate_before,
        deferral_rate as rate_after,
        enrollment_probability as event_probability,
        enrollment_draw as random_draw,
        '{"enrollment_method":"'
        || {{ enrollment_method('enrollment_category') }}
        || '","will_be_refunded":' || will_opt_out || '}' as event_details,
        will_opt_out as is_refunded
    from enrollments
    union all
    select
        opt_outs.employee_id,
        opt_outs.opts_out_on as effective_date,
        'enrollment_change' as event_type,
        'opt_out' as event_category,
        {{ order_in_day('enrollment_change') }} as type_order,
        opt_outs.deferral_rate as rate_before,
        0::decimal(9, 6) as rate_after,
        opt_outs.opt_out_probability as event_probability,
        opt_outs.opt_out_draw as random_draw,
        '{"enrollment_date":"' || opt_outs.enrolled_on || '"}' as event_details,
        true as is_refunded
    from opt_outs
    inner join {{ ref('int_employment') }} as employment
        on opt_outs.employee_id = employment.employee_id
    where opt_outs.opts_out_on <= employment.as_of
    union all
    select
        employee_id,
        responded_on as effective_date,
        'deferral_match_response' as event_type,
        response as event_category,
        {{ order_in_day('deferral_match_response') }} as type_order,
        rate_before,
        rate_after,
        response_probability as event_probability,
        response_draw as random_draw,
        '{"ceiling":' || ceiling || ',"previous_ceiling":' || previous_ceiling || '}' as event_details,
        false as is_refunded
    from {{ ref('int_match_responses') }}
    union all
    select
        employee_id,
        lifted_on as effective_date,
        'deferral_escalation' as event_type,
        'qaca_minimum' as event_category,
        {{ order_in_day('deferral_escalation') }} as type_order,
        rate_before,
        rate_after,
        null::decimal(9, 6) as event_probability,
        null::double as random_draw,
        '{}' as event_details,
        false as is_refunded
    from {{ ref('int_qaca_minima') }}
    union all
    select
        employee_id,
        escalation_date as effective_date,
        'deferral_escalation' as event_type,
        'automatic_increase' as event_category,
        {{ order_in_day('deferral_escalation') }} as type_order,
        rate_before,
        rate_after,
        null::decimal(9, 6) as event_probability,
        null::double as random_draw,
        '{"escalation_count":' || escalation_count || '}' as event_details,
        false as is_refunded
    from {{ ref('int_escalations') }}
    union all
    select
        employee_id,
        changed_on as effective_date,
        'enrollment_change' as event_type,
        'own_change' as event_category,
        {{ order_in_day('enrollment_change') }} as type_order,
        rate_before,
        {{ changed_rate('rate_before', 'own_changes') }} as rate_after,
        change_probability as event_probability,
        change_draw as random_draw,
        '{"change":"' || change || '"}' as event_details,
        false as is_refunded
    from own_changes
    where {{ changed_rate('rate_before', 'own_changes') }} <> rate_before
)

select
    employee_id,
    effective_date,
    event_type,
    event_category,
    type_order,
    row_number() over (
        partition by employee_id, event_type
        order by effective_date, event_category = 'automatic_increase', event_category
    ) as ordinal,
    rate_before,
    rate_after,
    event_probability,
    random_draw,
    event_details,
    is_refunded
from changes
