-- Who decides to join the plan voluntarily, and on which day. The first choice is made once, on the day a person first
-- may join: a lasting draw against join rate by age x income x level, at most 95 %, times the automatic-enrollment
-- factor where automatic enrollment would catch them anyway; it takes effect 7 to 35 days later. Non-joiners, and
-- people who stopped, get a second chance each year, on a drawn day. People of the census whose entry lies before the
-- first year have made their choice.
with

undecided as (
    select
        employee_id,
        employee_birth_date,
        employee_service_date,
        level_id,
        as_of,
        days_in_year,
        year_start,
        opening_cents,
        raise_day,
        raise_cents,
        promotion_day,
        promotion_cents,
        promoted_level_id,
        first_may_join_on,
        {{ is_in_automatic_enrollment() }} as is_caught_anyway,
        case
            when first_may_join_on is null then {{ draw_key('second_chance', 'employee_id') }}
            else {{ lasting_draw_key('voluntary_enrollment', 'employee_id') }}
        end as draw_key
    from {{ ref('int_eligibility') }}
    where
        deferral_from_day is not null
        and opening_rate = 0
        and not has_opted_out
        and pending_kind is null
),

choices as (
    select
        *,
        case when first_may_join_on is null then 'second_chance' else 'voluntary' end as enrollment_category,
        coalesce(
            first_may_join_on, (year_start + floor({{ draw2('draw_key') }} * days_in_year)::integer)::date
        ) as decided_on
    from undecided
),

described as (
    select
        choices.employee_id,
        year(choices.employee_birth_date)::integer as birth_year,
        choices.enrollment_category,
        choices.decided_on,
        choices.is_caught_anyway,
        choices.draw_key,
        {{ completed_years('choices.employee_birth_date', 'choices.decided_on') }} as decision_age,
        {{ completed_years('choices.employee_service_date', 'choices.decided_on') }} as decision_service,
        {{ pay_rate_on('choices', 'dayofyear(choices.decided_on)') }} as decision_pay,
        case
            when
                choices.promotion_cents > 0 and choices.promotion_day <= dayofyear(choices.decided_on)
                then choices.promoted_level_id
            else choices.level_id
        end as decision_level,
        {{ draw('choices.draw_key') }} as join_draw
    from choices
    where choices.decided_on <= choices.as_of
),

probable as (
    select
        described.*,
        income.income_band,
        ages.participation_age_from,
        case
            when described.enrollment_category = 'voluntary'
                then round(
                    least(0.95, ages.join_rate * income.join_factor * levels.join_factor)
                    * case
                        when described.is_caught_anyway
                            then {{ param('automatic_enrollment_factor') }}::double
                        else 1
                    end,
                    12
                )
            else least(
                1, round(ages.second_chance_rate * income.second_chance_factor * tenures.second_chance_factor, 12)
            )
        end as join_probability
    from described
    inner join {{ ref('stg_age_segments') }} as ages
        on described.decision_age = ages.age
    inner join {{ ref('stg_tenure_segments') }} as tenures
        on described.decision_service = tenures.completed_years
    inner join {{ ref('stg_job_levels') }} as levels
        on described.decision_level = levels.level_id
    inner join {{ ref('stg_income_bands') }} as income
        on
            described.decision_pay >= income.income_from
            and (income.income_to is null or described.decision_pay < income.income_to)
)

select
    employee_id,
    enrollment_category,
    case
        when enrollment_category = 'voluntary'
            then decided_on + 7 + floor(29 * {{ draw2('draw_key') }})::integer
        else decided_on
    end as joins_on,
    decision_age,
    decision_service,
    decision_pay,
    birth_year,
    participation_age_from,
    income_band,
    join_probability,
    join_draw
from probable
where join_draw < join_probability
