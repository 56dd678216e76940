{#- No two rows of the simulated year and those before it share these columns. -#}
{% test unique_so_far(model, columns) %}
select {{ columns | join(', ') }}, count(*) as row_count
from {{ model }}
where simulation_year <= {{ param('simulation_year') }}
group by {{ columns | join(', ') }}
having count(*) > 1
{% endtest %}
