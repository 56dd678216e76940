-- Automatic increases: on the effective day the rate of everyone in scope goes up by the increment, up to the cap. new
-- = max(rate, min(rate + increment, cap)), for those who completed the delay since their enrollment and did not refuse:
-- by the census flag, or, for people enrolled in the simulation, by a lasting draw. With scope auto_enrolled only
-- people who were enrolled automatically and have not chosen a rate of their own since.
with

participants as (
    select
        people.employee_id,
        people.escalation_count + (minima.employee_id is not null)::integer as escalation_count,
        people.enrollment_date as enrolled_on,
        people.enrollment_method = 'auto' and not people.has_made_own_choice as is_automatic,
        people.has_refused_escalation,
        people.as_of,
        coalesce(responses.rate_after, minima.rate_after, people.opening_rate) as deferral_rate,
        responses.rate_after is not null as has_responded
    from {{ ref('int_eligibility') }} as people
    left join {{ ref('int_match_responses') }} as responses
        on people.employee_id = responses.employee_id
    left join {{ ref('int_qaca_minima') }} as minima
        on people.employee_id = minima.employee_id
    where
        people.opening_rate > 0
        and people.deferral_from_day is not null
        and people.pending_kind is null
        and {{ param('escalation_enabled') }}
    union all
    select
        enrolled.employee_id,
        people.escalation_count,
        enrolled.enrolled_on,
        enrolled.is_automatic,
        people.has_refused_escalation,
        people.as_of,
        enrolled.deferral_rate,
        false as has_responded
    from (
        select
            employee_id,
            enrolled_on,
            deferral_rate,
            enrollment_category = 'automatic' as is_automatic
        from {{ ref('int_enrollments') }}
        where not will_opt_out
        union all
        select
            employee_id,
            enrolled_on,
            deferral_rate,
            true as is_automatic
        from {{ ref('int_reenrollments') }}
        where not will_opt_out
    ) as enrolled
    inner join {{ ref('int_eligibility') }} as people
        on enrolled.employee_id = people.employee_id
    where
        {{ param('escalation_delay_years') }} = 0
        and {{ param('escalation_enabled') }}
),

due as (
    select
        participants.employee_id,
        participants.escalation_count,
        calendar.escalation_date,
        participants.enrolled_on,
        participants.has_refused_escalation,
        participants.is_automatic
        and not participants.has_responded
        and coalesce(changes.changed_on >= calendar.escalation_date, true) as is_still_automatic,
        case
            when coalesce(changes.changed_on < calendar.escalation_date, false)
                then {{ changed_rate('participants.deferral_rate', 'changes') }}
            else participants.deferral_rate
        end as rate_before
    from participants
    cross join {{ ref('stg_calendar') }} as calendar
    -- a change before the enrollment was of another one
    left join {{ ref('int_own_changes') }} as changes
        on
            participants.employee_id = changes.employee_id
            and (participants.enrolled_on is null or participants.enrolled_on <= changes.changed_on)
    where
        participants.as_of >= calendar.escalation_date
        and (
            participants.enrolled_on is null
            or (
                participants.enrolled_on <= calendar.escalation_date
                and {{ completed_years('participants.enrolled_on', 'calendar.escalation_date') }}
                >= {{ param('escalation_delay_years') }}
            )
        )
)

select
    employee_id,
    escalation_date,
    rate_before,
    least(
        rate_before + {{ param('escalation_increment') }},
        {{ param('escalation_cap') }}
    )::decimal(9, 6) as rate_after,
    escalation_count + 1 as escalation_count
from due
where
    rate_before > 0
    and rate_before < {{ param('escalation_cap') }}
    and {{ param('escalation_increment') }} > 0
    and (is_still_automatic or {{ param('escalation_scope') }} = 'all_participants')
    and not {{ refuses_escalation('employee_id', 'enrolled_on', 'has_refused_escalation') }}
