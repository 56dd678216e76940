-- Who automatic enrollment would catch, on which day, and whether they would opt out.  Code section 414(w).
-- Everyone in scope who never was in and never opted out: the window opens on max(first day one may join, the day from
-- which windows open) and ends with the enrollment; who stopped has elected 0. Scope, rate and days are those of the
-- year in which the window opens, also where it ends in the next one; of two windows the one that opened first counts.
-- The opt-out is a lasting draw against a rate by age and income on the day of the enrollment; it comes the
-- permissible-withdrawal days later and brings everything back, so that nothing is contributed in either year. An
-- enrollment after the year or the exit is no enrollment of this year.
with

windows as (
    select
        people.employee_id,
        people.employee_birth_date,
        people.year_start,
        people.opening_cents,
        people.raise_day,
        people.raise_cents,
        people.promotion_day,
        people.promotion_cents,
        terms.default_deferral_rate,
        terms.permissible_withdrawal_days,
        terms.simulation_year as terms_year,
        greatest(people.eligibility_date, terms.opens_on) as opened_on,
        (greatest(people.eligibility_date, terms.opens_on) + terms.window_days)::date as enrolled_on
    from {{ ref('int_eligibility') }} as people
    inner join {{ source('parameters', 'automatic_enrollment_terms') }} as terms
        on terms.simulation_year between {{ param('simulation_year') }} - 1 and {{ param('simulation_year') }}
    where
        {{ is_on_terms('terms') }}
        and people.deferral_from_day is not null
        and people.opening_rate = 0
        and not people.has_opted_out
),

opened as (
    select
        *,
        row_number() over (partition by employee_id order by terms_year) as turn
    from windows
    where
        enrolled_on >= year_start
        and terms_year = greatest(year(opened_on), {{ param('start_year') }})
),

described as (
    select
        *,
        {{ completed_years('employee_birth_date', 'enrolled_on') }} as enrollment_age,
        {{ pay_rate_on('opened', 'dayofyear(opened.enrolled_on)') }} as enrollment_pay
    from opened
    where opened.turn = 1
)

select
    described.employee_id,
    described.enrolled_on,
    described.default_deferral_rate,
    described.permissible_withdrawal_days,
    least(1, round(ages.opt_out_rate * income.opt_out_factor, 12)) as opt_out_probability,
    {{ draw(lasting_draw_key('opt_out', 'described.employee_id')) }} as opt_out_draw
from described
inner join {{ ref('stg_age_segments') }} as ages
    on described.enrollment_age = ages.age
inner join {{ ref('stg_income_bands') }} as income
    on
        described.enrollment_pay >= income.income_from
        and (income.income_to is null or described.enrollment_pay < income.income_to)
