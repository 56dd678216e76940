{#- The column holds nothing but the kinds that stg_event_types allows within a type of event, or null. -#}
{% test registered_kind(model, column_name, event_type) %}
select
    rows_of.{{ column_name }},
    count(*) as row_count
from {{ model }} as rows_of
left join {{ ref('stg_event_types') }} as types
    on types.event_type = '{{ event_type }}'
where not coalesce(list_contains(types.categories, rows_of.{{ column_name }}), rows_of.{{ column_name }} is null)
group by rows_of.{{ column_name }}
{% endtest %}
