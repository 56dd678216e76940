-- Each bonus is its share of the base pay of the year before, to the cent, paid on the pay date to somebody who was
-- there before the year; nobody has two. The share is the person's own, or the target of a level that the person has
-- had since entering. Everyone with a share of their own who is employed on the pay date has one, unless a draw says
-- none.
with

bonuses as (
    select
        employee_id,
        count(*) as bonuses,
        max(effective_date) as effective_date,
        max(event_category) as event_category,
        max(amount) as amount,
        max((event_details ->> 'share')::decimal(18, 12)) as share,
        max((event_details ->> 'paid_share')::decimal(18, 12)) as paid_share
    from {{ ref('fct_yearly_events') }}
    where
        simulation_year = {{ param('simulation_year') }}
        and event_type = 'bonus'
    group by employee_id
),

calendar as (
    select
        make_date({{ param('simulation_year') }} - 1, 1, 1) as prior_year_start,
        make_date({{ param('simulation_year') }}, 1, 1) as year_start,
        {{ yearly_date(param('simulation_year'), param('bonus_pay_date')) }} as bonus_date
),

due as (
    select
        people.employee_id,
        people.entry_level_id,
        people.bonus_share,
        closing.level_id,
        calendar.bonus_date,
        bonuses.bonuses,
        bonuses.effective_date,
        bonuses.event_category,
        bonuses.amount,
        bonuses.share,
        bonuses.paid_share,
        case
            when {{ param('simulation_year') }} > {{ param('start_year') }}
                then opening.prorated_annual_compensation - opening.bonus_amount
            when people.origin = 'census'
                then {{ per_year(
                    'people.entry_compensation '
                    ~ '* (calendar.year_start - greatest(people.employee_hire_date, calendar.prior_year_start))',
                    '(calendar.year_start - calendar.prior_year_start)'
                ) }}
        end as base
    from {{ ref('dim_employee') }} as people
    cross join calendar
    inner join {{ ref('fct_workforce_snapshot') }} as closing
        on
            people.employee_id = closing.employee_id
            and closing.simulation_year = {{ param('simulation_year') }}
    left join {{ ref('fct_workforce_snapshot') }} as opening
        on
            people.employee_id = opening.employee_id
            and opening.simulation_year = {{ param('simulation_year') }} - 1
            and opening.employment_status = 'active'
    left join bonuses
        on people.employee_id = bonuses.employee_id
    where
        people.simulation_year <= {{ param('simulation_year') }}
        and (
            bonuses.employee_id is not null
            or (
                people.bonus_share > 0
                and coalesce(closing.termination_date >= calendar.bonus_date, true)
                and {{ param('bonus_standard_deviation') }} = 0
            )
        )
)

select
    employee_id,
    event_category,
    effective_date,
    share,
    paid_share,
    base,
    amount
from due
where
    base is null
    or coalesce(bonuses, 1) > 1
    or effective_date <> bonus_date
    or coalesce(amount, 0) <> round(coalesce(paid_share, bonus_share)::decimal(38, 12) * base, 2)
    or (event_category = 'own_share' and share is distinct from bonus_share)
    or (
        event_category = 'level_target'
        and not exists (
            select 1
            from {{ parameters('bonus_targets') }} as targets
            where
                targets.share = due.share
                and targets.level_id between due.entry_level_id and due.level_id
        )
    )
