{#- The end of a replay: for whom columns of the snapshot are not those of the CTE `replayed`, which has the same ones
    in the same order. Whoever is in one of the two only is shown too. -#}
{% macro differences_from_snapshot(columns) -%}
snapshot as (
    select
        employee_id,
        {{ columns | join(',\n        ') }}
    from {{ ref('fct_workforce_snapshot') }}
    where simulation_year = {{ param('simulation_year') }}
),

-- a table's name stands for its whole row
replayed_rows as (
    select
        employee_id,
        replayed as contents
    from replayed
),

snapshot_rows as (
    select
        employee_id,
        snapshot as contents
    from snapshot
)

select
    coalesce(replayed_rows.employee_id, snapshot_rows.employee_id) as employee_id,
    replayed_rows.contents as replayed,
    snapshot_rows.contents as snapshot
from replayed_rows
full outer join snapshot_rows
    on replayed_rows.employee_id = snapshot_rows.employee_id
where replayed_rows.contents is distinct from snapshot_rows.contents
{%- endmacro %}
