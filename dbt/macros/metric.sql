{#- One key figure as a struct; a ratio over nothing does not exist and is null. -#}
{% macro metric(name, value, unit) -%}
    {'metric': '{{ name }}', 'value': ({{ value }})::decimal(38, 6), 'unit': '{{ unit }}'}
{%- endmacro %}

{% macro ratio(numerator, denominator) -%}
    ({{ numerator }})::double / nullif({{ denominator }}, 0)::double
{%- endmacro %}
