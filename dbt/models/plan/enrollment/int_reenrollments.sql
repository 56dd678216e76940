-- The yearly sweep: on its date, not before the plan's effective date, everyone eligible who does not participate is
-- enrolled at the default rate. Never within 90 days of an opt-out, and never somebody whose own enrollment is still to
-- come. Whoever opts out does so by a draw of that year, with the same refund as after automatic enrollment.
with

standing as (
    select
        people.employee_id,
        calendar.reenrollment_date as enrolled_on,
        case
            when people.pending_kind = 'opt_out' then people.pending_date
            when enrollments.will_opt_out then enrollments.opts_out_on
            else people.last_opt_out_date
        end as opted_out_on,
        (
            people.opening_rate > 0
            and people.pending_kind is distinct from 'opt_out'
            and coalesce(responses.rate_after > 0, true)
            and not (coalesce(changes.change = 'stop', false) and changes.changed_on < calendar.reenrollment_date)
        )
        or coalesce(not enrollments.will_opt_out, false) as is_in_or_joining,
        coalesce(
            enrollments.enrolled_on > calendar.reenrollment_date
            or joining.joins_on > calendar.reenrollment_date
            or (enrollments.enrolled_on is null and windows.enrolled_on > calendar.reenrollment_date),
            false
        ) as is_being_enrolled,
        {{ draw(draw_key('reenrollment_opt_out', 'people.employee_id')) }} as opt_out_draw
    from {{ ref('int_eligibility') }} as people
    cross join {{ ref('stg_calendar') }} as calendar
    left join {{ ref('int_enrollments') }} as enrollments
        on people.employee_id = enrollments.employee_id
    left join {{ ref('int_automatic_enrollments') }} as windows
        on people.employee_id = windows.employee_id
    left join {{ ref('int_joining') }} as joining
        on people.employee_id = joining.employee_id
    left join {{ ref('int_match_responses') }} as responses
        on people.employee_id = responses.employee_id
    left join {{ ref('int_own_changes') }} as changes
        on people.employee_id = changes.employee_id
    where
        {{ param('automatic_enrollment_enabled') }}
        and {{ param('reenrollment_enabled') }}
        and people.deferral_from_day <= dayofyear(calendar.reenrollment_date)
        and people.as_of >= calendar.reenrollment_date
        and calendar.reenrollment_date >= {{ param('automatic_enrollment_opens') }}
)

select
    employee_id,
    enrolled_on,
    {{ param('default_deferral_rate') }} as deferral_rate,
    opt_out_draw < {{ param('reenrollment_opt_out_rate') }}::double as will_opt_out,
    case
        when opt_out_draw < {{ param('reenrollment_opt_out_rate') }}::double
            then enrolled_on + {{ param('permissible_withdrawal_days') }}
    end as opts_out_on,
    {{ param('reenrollment_opt_out_rate') }} as opt_out_probability,
    opt_out_draw
from standing
where
    not is_in_or_joining
    and not is_being_enrolled
    and (opted_out_on is null or opted_out_on + 90 < enrolled_on)
