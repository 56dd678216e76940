{#- One figure over another as a double; a ratio over nothing does not exist and is null. -#}
{% macro ratio(numerator, denominator) -%}
    ({{ numerator }}) / nullif({{ denominator }}, 0)
{%- endmacro %}
