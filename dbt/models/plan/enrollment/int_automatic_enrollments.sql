-- Who automatic enrollment would catch, on which day, and whether they would opt out.  Code section 414(w).
-- Everyone in scope who never was in and never opted out, on max(entry, plan effective date) + window; who stopped has
-- elected 0. The opt-out is a lasting draw against a rate by age and income on that day; it comes the
-- permissible-withdrawal days later and brings everything back, so that nothing is contributed in either year.
with

caught as (
    select
        employee_id,
        employee_birth_date,
        as_of,
        year_start,
        opening_cents,
        raise_day,
        raise_cents,
        promotion_day,
        promotion_cents,
        (
            greatest(coalesce(first_may_join_on, deferral_entry_date), {{ param('automatic_enrollment_opens') }})
            + {{ param('automatic_enrollment_window_days') }}
        )::date as enrolled_on
    from {{ ref('int_eligibility') }}
    where
        {{ is_in_automatic_enrollment() }}
        and deferral_from_day is not null
        and opening_rate = 0
        and not has_opted_out
),

described as (
    select
        *,
        {{ completed_years('employee_birth_date', 'enrolled_on') }} as enrollment_age,
        {{ pay_rate_on('caught', 'dayofyear(caught.enrolled_on)') }} as enrollment_pay
    from caught
    where caught.enrolled_on between caught.year_start and caught.as_of
)

select
    described.employee_id,
    described.enrolled_on,
    least(1, round(ages.opt_out_rate * income.opt_out_factor, 12)) as opt_out_probability,
    {{ draw(lasting_draw_key('opt_out', 'described.employee_id')) }} as opt_out_draw
from described
inner join {{ ref('stg_age_segments') }} as ages
    on described.enrollment_age = ages.age
inner join {{ ref('stg_income_bands') }} as income
    on
        described.enrollment_pay >= income.income_from
        and (income.income_to is null or described.enrollment_pay < income.income_to)
