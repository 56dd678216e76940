-- Who is promoted on the promotion date. Structure `positions`: of the candidates of each level who are still
-- employed at the close, those with the smallest race keys, as many as are promoted into the level above. Structure
-- `rates`: everyone whose draw is below the rate, if still employed on the date.
with

ranked as (
    select
        *,
        sum(weight) over (partition by {{ world() }} level_id) as weights,
        row_number() over (partition by {{ world() }} level_id order by race_key, employee_id) as race_rank
    from {{ ref('int_promotion_candidates') }}
    where is_staying or {{ param('workforce_structure') }} = 'rates'
)

select
    ranked.employee_id,
    ranked.promotion_date,
    ranked.level_id as level_before,
    ranked.next_level_id as level_after,
    case
        when {{ param('workforce_structure') }} = 'rates' then ranked.promotion_rate
        else least(
            1, coalesce({{ ratio('positions.promoted_in * ranked.weight::double', 'ranked.weights::double') }}, 1)
        )
    end::decimal(9, 6) as promotion_probability,
    ranked.promotion_draw,
    ranked.increase_rate,
    {{ pay_for_hours('ranges.range_minimum', 'ranked.scheduled_hours_per_week') }} as new_range_minimum
from ranked
inner join {{ ref('int_positions') }} as positions
    on ranked.next_level_id = positions.level_id
inner join {{ ref('stg_pay_ranges') }} as ranges
    on ranked.next_level_id = ranges.level_id
where
    case
        when {{ param('workforce_structure') }} = 'rates' then ranked.promotion_draw < ranked.promotion_rate
        else ranked.race_rank <= positions.promoted_in
    end
