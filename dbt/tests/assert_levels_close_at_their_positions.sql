-- With positions and in exact mode every level closes with its positions, but for the surplus of a level and what
-- others give up for it, which are equally many. In every mode the positions sum to the target.
with

totals as (
    select
        sum(positions) as positions,
        sum(surplus) as surplus,
        sum(given_up) as given_up
    from {{ ref('fct_level_headcount') }}
    where simulation_year = {{ param('simulation_year') }}
),

targets as (
    select max(value) as target
    from {{ ref('fct_annual_metrics') }}
    where
        simulation_year = {{ param('simulation_year') }}
        and metric = 'target_headcount'
)

select
    level_id,
    positions,
    surplus,
    given_up,
    closing_headcount
from {{ ref('fct_level_headcount') }}
where
    simulation_year = {{ param('simulation_year') }}
    and {{ param('headcount_mode') }} = 'exact'
    and {{ param('workforce_structure') }} = 'positions'
    and closing_headcount <> positions + surplus - given_up

union all

select
    null as level_id,
    totals.positions,
    totals.surplus,
    totals.given_up,
    targets.target as closing_headcount
from totals
cross join targets
where
    totals.positions <> targets.target
    or ({{ param('headcount_mode') }} = 'exact' and totals.surplus <> totals.given_up)
