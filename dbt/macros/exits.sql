{#- The relative hazard of leaving, for rows of the levels, ages and tenures of a person on 1 January. -#}
{% macro exit_hazard() -%}
    round(levels.termination_factor * ages.termination_multiplier * tenures.termination_multiplier, 12)
{%- endmacro %}
