-- What becomes of the positions of each level, from the top level down (structure `positions`):
--   openings = positions - stayers + promotions out of the level; promotions into it = min(candidates of the level
-- below, floor(fill share x openings + u)), with a fill share of 1 where nobody is hired. What is left is net; people
-- above the positions are a surplus, whose number is given up by the net of the lowest levels first, so that the nets
-- sum to the year's. Exact mode: hires = largest remainder of the year's hires over the nets, of whom hires - net
-- leave again; stochastic mode: hires = round(net / (1 - new-hire exit rate)).
-- Long because each step needs the result of the one before it for every level.
with recursive

staying as (
    select
        opening.level_id,
        opening.employee_id
    from {{ ref('int_opening_workforce') }} as opening
    anti join {{ ref('int_exits') }} as exits
        on opening.employee_id = exits.employee_id
    union all
    select
        level_id,
        employee_id
    from {{ ref('int_acquired') }}
),

stayers as (
    select
        level_id,
        count(*) as stayers
    from staying
    group by {{ world() }} level_id
),

candidates as (
    select
        next_level_id,
        count(*) as candidates
    from {{ ref('int_promotion_candidates') }}
    where is_staying
    group by {{ world() }} next_level_id
),

levels as (
    select
        targets.level_id,
        targets.level_id::varchar as level_name,
        targets.positions,
        coalesce(stayers.stayers, 0) as stayers,
        coalesce(candidates.candidates, 0) as candidates_below,
        row_number() over (order by targets.level_id desc) as place,
        case when plan.hires = 0 then 1 else {{ param('promotion_fill_share') }} end as fill_share
    from {{ ref('int_level_targets') }} as targets
    cross join {{ ref('int_hiring_plan') }} as plan
    left join stayers
        on targets.level_id = stayers.level_id
    left join candidates
        on targets.level_id = candidates.next_level_id
),

drawn as (
    select
        *,
        {{ draw(draw_key('promotion_fill', 'level_name')) }} as fill_draw
    from levels
),

filled as (
    select
        drawn.place,
        drawn.level_id,
        drawn.positions,
        drawn.stayers,
        0::bigint as promoted_out,
        {{ promoted_in('0') }} as promoted_in
    from drawn
    where drawn.place = 1
    union all
    select
        drawn.place,
        drawn.level_id,
        drawn.positions,
        drawn.stayers,
        filled.promoted_in as promoted_out,
        {{ promoted_in('filled.promoted_in') }} as promoted_in
    from filled
    inner join drawn
        on filled.place + 1 = drawn.place
),

nets as (
    select
        level_id,
        promoted_in,
        promoted_out,
        greatest(positions - stayers + promoted_out - promoted_in, 0) as net,
        greatest(stayers - promoted_out + promoted_in - positions, 0) as surplus
    from filled
),

reduced as (
    select
        level_id,
        promoted_in,
        promoted_out,
        net,
        surplus,
        least(
            net,
            greatest(sum(surplus) over () - (sum(net) over (order by level_id) - net), 0)
        )::bigint as given_up
    from nets
),

quotas as (
    select
        reduced.*,
        reduced.net - reduced.given_up as net_hires,
        plan.hires,
        plan.hires * (reduced.net - reduced.given_up) as share,
        sum(reduced.net - reduced.given_up) over () as all_net_hires,
        ((1 - {{ param('new_hire_termination_rate') }}) * 1000000)::bigint as staying_millionths
    from reduced
    cross join {{ ref('int_hiring_plan') }} as plan
),

wholes as (
    select
        *,
        coalesce(share // nullif(all_net_hires, 0), 0) as whole,
        coalesce(share % nullif(all_net_hires, 0), 0) as remainder
    from quotas
),

hired as (
    select
        level_id,
        promoted_in,
        promoted_out,
        surplus,
        given_up,
        net_hires,
        case
            when {{ param('headcount_mode') }} = 'exact'
                then
                    whole
                    + (
                        row_number() over (order by remainder desc, level_id asc) <= hires - sum(whole) over ()
                    )::bigint
            else {{ rounded_ratio('net_hires * 1000000', 'staying_millionths') }}
        end::bigint as hires
    from wholes
)

select
    level_id,
    promoted_in,
    promoted_out,
    surplus::bigint as surplus,
    given_up,
    net_hires::bigint as net_hires,
    hires,
    (hires - net_hires)::bigint as new_hire_exits
from hired
