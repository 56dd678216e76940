{#- No two rows of the simulated year share these columns. -#}
{% test unique_in_year(model, columns) %}
select {{ columns | join(', ') }}, count(*) as row_count
from {{ model }}
where simulation_year = {{ param('simulation_year') }}
group by {{ columns | join(', ') }}
having count(*) > 1
{% endtest %}
