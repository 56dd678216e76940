{#- The column holds nothing but these values in the simulated year. -#}
{% test allowed_values_in_year(model, column, values) %}
select {{ column }}, count(*) as row_count
from {{ model }}
where
    simulation_year = {{ param('simulation_year') }}
    and {{ column }} not in ({% for value in values %}'{{ value }}'{{ ', ' if not loop.last }}{% endfor %})
group by {{ column }}
{% endtest %}
