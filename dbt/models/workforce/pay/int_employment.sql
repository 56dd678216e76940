-- Everyone employed at any time in the year: from which day to which, and at what rate of pay when. Days are days of
-- the year, both ends paid. Pay is the opening rate (for a hire the hiring rate) and at most two changes, in whole
-- cents. Paid compensation = sum over the rates of rate x days / days in the year, rounded once, + the year's bonus.
with

people as (
    select
        opening.employee_id,
        false as is_new_hire,
        false as is_acquired,
        opening.employee_birth_date,
        opening.employee_hire_date,
        opening.employee_service_date,
        opening.level_id,
        opening.scheduled_hours_per_week,
        1 as first_day,
        exits.termination_date,
        exits.termination_reason,
        (opening.compensation * 100)::bigint as opening_cents,
        coalesce(dayofyear(raises.raise_date), 1)::integer as raise_day,
        coalesce(((raises.compensation_after - raises.compensation_before) * 100)::bigint, 0) as raise_cents,
        coalesce(dayofyear(promotions.promotion_date), 1)::integer as promotion_day,
        coalesce(((promotions.compensation_after - promotions.compensation_before) * 100)::bigint, 0)
            as promotion_cents,
        coalesce(promotions.level_after, opening.level_id) as promoted_level_id,
        coalesce(dayofyear(bonuses.bonus_date), 1)::integer as bonus_day,
        {{ cents('bonuses.amount') }} as bonus_cents
    from {{ ref('int_opening_workforce') }} as opening
    left join {{ ref('int_exits') }} as exits
        on opening.employee_id = exits.employee_id
    left join {{ ref('int_raises') }} as raises
        on opening.employee_id = raises.employee_id
    left join {{ ref('int_promotions') }} as promotions
        on opening.employee_id = promotions.employee_id
    left join {{ ref('int_bonuses') }} as bonuses
        on opening.employee_id = bonuses.employee_id
    union all
    select
        hires.employee_id,
        true as is_new_hire,
        hires.hire_category = 'acquired' as is_acquired,
        hires.birth_date as employee_birth_date,
        hires.hire_date as employee_hire_date,
        hires.service_date as employee_service_date,
        hires.level_id,
        hires.scheduled_hours_per_week,
        dayofyear(hires.hire_date)::integer as first_day,
        exits.termination_date,
        exits.termination_reason,
        (hires.compensation * 100)::bigint as opening_cents,
        1 as raise_day,
        0 as raise_cents,
        1 as promotion_day,
        0 as promotion_cents,
        hires.level_id as promoted_level_id,
        1 as bonus_day,
        0 as bonus_cents
    from {{ ref('int_hires') }} as hires
    left join {{ ref('int_new_hire_exits') }} as exits
        on hires.employee_id = exits.employee_id
),

dated as (
    select
        people.*,
        coalesce(people.termination_date, calendar.year_end) as as_of,
        dayofyear(coalesce(people.termination_date, calendar.year_end))::integer as last_day,
        calendar.days_in_year
    from people
    cross join {{ ref('stg_calendar') }} as calendar
)

select
    dated.employee_id,
    dated.is_new_hire,
    dated.is_acquired,
    dated.employee_birth_date,
    dated.employee_hire_date,
    dated.employee_service_date,
    dated.level_id,
    dated.termination_date,
    dated.termination_reason,
    dated.as_of,
    dated.first_day,
    dated.last_day,
    dated.days_in_year,
    dated.opening_cents,
    dated.raise_day,
    dated.raise_cents,
    dated.promotion_day,
    dated.promotion_cents,
    dated.promoted_level_id,
    dated.bonus_day,
    dated.bonus_cents,
    case when {{ param('bonus_in_plan') }} then dated.bonus_cents else 0 end as plan_bonus_cents,
    {{ completed_years('dated.employee_birth_date', 'dated.as_of') }} as age,
    {{ completed_years('dated.employee_service_date', 'dated.as_of') }} as completed_years,
    {{ rounded_ratio(base_pay_days('dated', 'dated.first_day'), 'dated.days_in_year') }} + dated.bonus_cents
        as paid_cents,
    {{ rounded_ratio(
        '(dated.scheduled_hours_per_week * 100)::bigint * 52 * (dated.last_day - dated.first_day + 1)',
        'dated.days_in_year'
    ) }} as hundredths_of_hours
from dated
