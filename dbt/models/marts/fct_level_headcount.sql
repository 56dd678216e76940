-- The headcount path of each job level, the positions of the year, and how many people close the year in them.
with

closing as (
    select
        level_id,
        count(*) as headcount
    from {{ ref('fct_workforce_snapshot') }}
    where
        simulation_year = {{ param('simulation_year') }}
        and employment_status = 'active'
    group by {{ world() }} level_id
)

select
    {{ param('scenario_id') }} as scenario_id,
    {{ param('plan_design_id') }} as plan_design_id,
    {{ param('simulation_year') }} as simulation_year,
    targets.level_id,
    targets.headcount_path,
    targets.positions::integer as positions,
    coalesce(closing.headcount, 0)::integer as closing_headcount,
    case when {{ param('workforce_structure') }} = 'positions' then flows.surplus else 0 end::integer as surplus,
    case when {{ param('workforce_structure') }} = 'positions' then flows.given_up else 0 end::integer as given_up
from {{ ref('int_level_targets') }} as targets
inner join {{ ref('int_positions') }} as flows
    on targets.level_id = flows.level_id
left join closing
    on targets.level_id = closing.level_id
