-- Who is enrolled this year, on which day, how, and at what rate: whatever comes first of a choice that was pending
-- from last year, this year's voluntary choice or second chance, and automatic enrollment; on one day the person's own
-- choice. A voluntary choice that takes effect after 31 December is not an enrollment of this year: see
-- fct_enrollment_state.
with

candidates as (
    select
        people.employee_id,
        people.pending_date as enrolled_on,
        'voluntary' as enrollment_category,
        1 as preference,
        people.pending_rate as deferral_rate,
        people.pending_probability::decimal(9, 6) as enrollment_probability,
        people.pending_draw as enrollment_draw,
        null::double as opt_out_probability,
        null::double as opt_out_draw,
        null::integer as permissible_withdrawal_days
    from {{ ref('int_eligibility') }} as people
    where
        people.pending_kind = 'enrollment'
        and people.deferral_from_day is not null
    union all
    select
        joining.employee_id,
        joining.joins_on as enrolled_on,
        joining.enrollment_category,
        1 as preference,
        rates.deferral_rate,
        joining.join_probability::decimal(9, 6) as enrollment_probability,
        joining.join_draw as enrollment_draw,
        null::double as opt_out_probability,
        null::double as opt_out_draw,
        null::integer as permissible_withdrawal_days
    from {{ ref('int_joining') }} as joining
    inner join {{ ref('int_chosen_rates') }} as rates
        on joining.employee_id = rates.employee_id
    union all
    select
        employee_id,
        enrolled_on,
        'automatic' as enrollment_category,
        2 as preference,
        default_deferral_rate as deferral_rate,
        null::decimal(9, 6) as enrollment_probability,
        null::double as enrollment_draw,
        opt_out_probability,
        opt_out_draw,
        permissible_withdrawal_days
    from {{ ref('int_automatic_enrollments') }}
),

ranked as (
    select
        *,
        row_number() over (partition by employee_id order by enrolled_on, preference, enrollment_category) as turn
    from candidates
)

select
    ranked.employee_id,
    ranked.enrolled_on,
    ranked.enrollment_category,
    ranked.deferral_rate,
    ranked.enrollment_probability,
    ranked.enrollment_draw,
    coalesce(ranked.opt_out_draw < ranked.opt_out_probability, false) as will_opt_out,
    case
        when ranked.opt_out_draw < ranked.opt_out_probability
            then ranked.enrolled_on + ranked.permissible_withdrawal_days
    end as opts_out_on,
    ranked.opt_out_probability::decimal(9, 6) as opt_out_probability,
    ranked.opt_out_draw
from ranked
inner join {{ ref('int_employment') }} as employment
    on ranked.employee_id = employment.employee_id
where
    ranked.turn = 1
    and ranked.enrolled_on <= employment.as_of
