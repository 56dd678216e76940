-- The headcount path and the positions of each level to close the year with.
--   path(Y) = path(Y - 1) x (1 + growth) - layoffs + acquired people by level, from the people of the first 1 January,
-- and never rounded on the way; announced exits that lower the target are taken off, too. The target is the sum of the
-- paths, rounded half away from zero, and the positions of the levels are the path in whole people by largest remainder
-- of the target, ties to the lower level. A configured mix replaces the shares of the levels.
with

carried as (
    select
        level_id,
        count(*)::decimal(24, 12) as headcount_path
    from {{ ref('int_opening_workforce') }}
    where {{ param('simulation_year') }} = {{ param('start_year') }}
    group by {{ world() }} level_id
    union all
    select
        level_id,
        headcount_path
    from {{ source('ledger', 'fct_level_headcount') }}
    where
        {{ param('simulation_year') }} > {{ param('start_year') }}
        and simulation_year = {{ param('simulation_year') }} - 1
),

-- positions that end with the people in them
abolished as (
    select
        opening.level_id,
        count(*) as positions
    from {{ ref('int_opening_workforce') }} as opening
    cross join {{ ref('stg_calendar') }} as calendar
    left join {{ ref('int_reductions') }} as reductions
        on opening.employee_id = reductions.employee_id
    where
        reductions.employee_id is not null
        or (
            {{ param('announced_exits') }} = 'lower_target'
            and opening.announced_termination_date between calendar.year_start and calendar.year_end
        )
    group by {{ world('opening') }} opening.level_id
),

acquired as (
    select
        level_id,
        count(*) as positions
    from {{ ref('int_acquired') }}
    group by {{ world() }} level_id
),

grown as (
    select
        levels.level_id,
        greatest(
            round(
                coalesce(carried.headcount_path, 0)::decimal(24, 12) * (1 + {{ param('target_growth_rate') }}), 12
            )
            - coalesce(abolished.positions, 0)
            + coalesce(acquired.positions, 0),
            0
        )::decimal(24, 12) as headcount_path
    from {{ ref('stg_job_levels') }} as levels
    left join carried
        on levels.level_id = carried.level_id
    left join abolished
        on levels.level_id = abolished.level_id
    left join acquired
        on levels.level_id = acquired.level_id
),

mixed as (
    select
        grown.level_id,
        case
            when exists (select 1 from {{ parameters('level_mix') }})
                then round(
                    (sum(grown.headcount_path) over ())::decimal(24, 12) * coalesce(mix.share, 0), 12
                )::decimal(24, 12)
            else grown.headcount_path
        end as headcount_path
    from grown
    left join {{ parameters('level_mix') }} as mix
        on grown.level_id = mix.level_id
),

wholes as (
    select
        level_id,
        headcount_path,
        floor(headcount_path)::bigint as whole,
        headcount_path - floor(headcount_path) as remainder,
        round(sum(headcount_path) over (), 0)::bigint as target
    from mixed
)

select
    level_id,
    headcount_path,
    whole
    + (row_number() over (order by remainder desc, level_id asc) <= target - sum(whole) over ())::bigint
        as positions
from wholes
