-- The year's bonuses: share x base pay of the year before, to everyone of the opening population who is employed on the
-- pay date; no rows where nobody has a share. The share is that of the census for good, but for a promotion to a level
-- whose target is higher; without one it is the target of the level. On the pay date a promotion comes first. In the
-- first year the base is the opening rate of pay for the days employed in the year before. With a standard deviation
-- the share is multiplied by 1 + deviation x a normal draw (Box-Muller), at least 0. Rounded once, half away from zero.
with

-- the highest target of the levels that a promotion from one level to another leads to
reached as (
    select
        entries.level_id as entry_level_id,
        levels.level_id,
        max(targets.share) as highest_target
    from {{ source('parameters', 'job_levels') }} as entries
    inner join {{ source('parameters', 'job_levels') }} as levels
        on entries.level_id < levels.level_id
    inner join {{ parameters('bonus_targets') }} as targets
        on
            entries.level_id < targets.level_id
            and levels.level_id >= targets.level_id
    group by entries.level_id, levels.level_id
),

employed as (
    select
        opening.employee_id,
        opening.entry_level_id,
        opening.bonus_share as own_share,
        opening.prior_year_base_compensation,
        calendar.bonus_date,
        case
            when promotions.promotion_date <= calendar.bonus_date then promotions.level_after
            else opening.level_id
        end as level_id
    from {{ ref('int_opening_workforce') }} as opening
    cross join {{ ref('stg_calendar') }} as calendar
    left join {{ ref('int_exits') }} as exits
        on opening.employee_id = exits.employee_id
    left join {{ ref('int_promotion_decisions') }} as promotions
        on opening.employee_id = promotions.employee_id
    where
        (exits.termination_date is null or exits.termination_date >= calendar.bonus_date)
        and (
            opening.bonus_share is not null
            or exists (select 1 from {{ parameters('bonus_targets') }})
        )
),

shared as (
    select
        employed.employee_id,
        employed.bonus_date,
        employed.prior_year_base_compensation,
        employed.own_share is null or coalesce(reached.highest_target > employed.own_share, false) as is_by_level,
        case
            when employed.own_share is null then coalesce(targets.share, 0)
            else greatest(employed.own_share, coalesce(reached.highest_target, 0))
        end::decimal(18, 12) as bonus_share
    from employed
    left join {{ parameters('bonus_targets') }} as targets
        on employed.level_id = targets.level_id
    left join reached
        on
            employed.entry_level_id = reached.entry_level_id
            and employed.level_id = reached.level_id
),

keys as (
    select
        *,
        case
            when {{ param('bonus_standard_deviation') }} > 0 then {{ draw_key('bonus', 'employee_id') }}
        end as draw_key
    from shared
    where bonus_share > 0
),

drawn as (
    select
        *,
        {{ draw('draw_key') }} as bonus_draw,
        case
            when draw_key is null then 1
            else greatest(
                round(
                    1 + {{ param('bonus_standard_deviation') }}::double
                    * round(sqrt(-2 * ln(1 - {{ draw('draw_key') }})) * cos(2 * pi() * {{ draw2('draw_key') }}), 12),
                    12
                ),
                0
            )
        end::decimal(18, 12) as factor
    from keys
),

paid as (
    select
        *,
        round(bonus_share * factor, 12)::decimal(18, 12) as paid_share,
        {{ dollars(rounded_ratio(
            '(round(bonus_share * factor, 12) * 1000000000000)::hugeint * (prior_year_base_compensation * 100)::bigint',
            '1000000000000'
        )) }} as amount
    from drawn
)

select
    employee_id,
    bonus_date,
    case when is_by_level then 'level_target' else 'own_share' end as bonus_category,
    bonus_share,
    bonus_draw,
    paid_share,
    prior_year_base_compensation,
    amount
from paid
where amount > 0
