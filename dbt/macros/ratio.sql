{#- One figure over another as a double; a ratio over nothing does not exist and is null. -#}
{% macro ratio(numerator, denominator) -%}
    ({{ numerator }}) / nullif({{ denominator }}, 0)
{%- endmacro %}

{#- The ratio percentage of section 410(b)(2)(A) of a contribution source, from the row of int_coverage; null where
    nobody of one of the two standings benefits or counts. -#}
{% macro coverage_ratio(source) -%}
    {{ ratio(
        'coverage.' ~ source ~ '_nhce_benefiting * coverage.' ~ source ~ '_hce_counted',
        'coverage.' ~ source ~ '_nhce_counted * coverage.' ~ source ~ '_hce_benefiting'
    ) }}
{%- endmacro %}
