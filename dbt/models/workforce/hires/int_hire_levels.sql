-- How many people are hired at each level. Structure `positions`: what the openings leave. Structure `rates`: the
-- configured mix, or the mix of the opening population, in whole people by largest remainder, ties to the lower level.
-- Those of an exit pool race for the year's exits of the pool: a level with positions, all hires with rates.
with

configured as (
    select
        level_id,
        (share * 1000000)::bigint as weight
    from {{ parameters('new_hire_level_mix') }}
),

opening as (
    select
        level_id,
        count(*) as weight
    from {{ ref('int_opening_workforce') }}
    group by level_id
),

weights as (
    select
        level_id,
        weight
    from configured
    union all
    select
        level_id,
        weight
    from opening
    where not exists (select 1 from configured)
),

quotas as (
    select
        weights.level_id,
        plan.hires,
        plan.hires * weights.weight // sum(weights.weight) over () as whole,
        plan.hires * weights.weight % sum(weights.weight) over () as remainder
    from weights
    cross join {{ ref('int_hiring_plan') }} as plan
),

allotted as (
    select
        level_id,
        whole
        + (row_number() over (order by remainder desc, level_id asc) <= hires - sum(whole) over ())::bigint as hires
    from quotas
)

select
    allotted.level_id,
    allotted.hires::bigint as hires,
    0 as exit_pool,
    plan.new_hire_exits
from allotted
cross join {{ ref('int_hiring_plan') }} as plan
where {{ param('workforce_structure') }} = 'rates'

union all

select
    level_id,
    hires,
    level_id as exit_pool,
    new_hire_exits
from {{ ref('int_positions') }}
where {{ param('workforce_structure') }} = 'positions'
