-- Whom a QACA lifts on 1 January, in the years in which the plan is one: who was enrolled automatically and has chosen
-- nothing else is at 3 % of pay in the year of the enrollment and the next, and at 4, 5 and 6 % in those that follow.
-- Code section 401(k)(13)(C)(iii).
with

minima as (
    select
        people.employee_id,
        people.year_start as lifted_on,
        people.opening_rate as rate_before,
        case
            when {{ param('simulation_year') }} - year(people.enrollment_date) <= 1 then 0.03
            when {{ param('simulation_year') }} - year(people.enrollment_date) = 2 then 0.04
            when {{ param('simulation_year') }} - year(people.enrollment_date) = 3 then 0.05
            else 0.06
        end::decimal(9, 6) as rate_after
    from {{ ref('int_eligibility') }} as people
    anti join {{ ref('int_match_responses') }} as responses
        on people.employee_id = responses.employee_id
    where
        {{ param('is_qaca') }}
        and people.enrollment_method = 'auto'
        and not people.has_made_own_choice
        and people.opening_rate > 0
        and people.deferral_from_day is not null
        and people.pending_kind is null
        and not {{ refuses_escalation(
            'people.employee_id', 'people.enrollment_date', 'people.has_refused_escalation'
        ) }}
)

select
    employee_id,
    lifted_on,
    rate_before,
    rate_after
from minima
where
    rate_before < rate_after
    and rate_after <= {{ param('maximum_deferral_rate') }}
