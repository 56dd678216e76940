{#- One figure over another as a double; a ratio over nothing does not exist and is null. -#}
{% macro ratio(numerator, denominator) -%}
    ({{ numerator }}) / nullif({{ denominator }}, 0)
{%- endmacro %}

{#- The average of section 414(s) over the people of a standing, for rows of the snapshot with the year's limit of
    pay: how much of it the plan counts, where it leaves the bonus out. -#}
{% macro counted_compensation(standing) -%}
    {%- set pay = 'least(prorated_annual_compensation, compensation_limit)' -%}
    {%- set counted = 'least(prorated_annual_compensation - bonus_amount, compensation_limit)' -%}
    {%- set is_counted -%}
        not {{ param('bonus_in_plan') }} and is_eligible and prorated_annual_compensation > 0 and {{ standing }}
    {%- endset -%}
    {{ ratio(
        'sum(case when ' ~ is_counted ~ ' then round(' ~ counted ~ '::double / ' ~ pay
        ~ '::double, 12)::decimal(18, 12) end)',
        'count(*) filter (where ' ~ is_counted ~ ')'
    ) }}
{%- endmacro %}

{#- The ratio percentage of section 410(b)(2)(A) of a contribution source, from the row of int_coverage; null where
    nobody of one of the two standings benefits or counts. -#}
{% macro coverage_ratio(source) -%}
    {{ ratio(
        'coverage.' ~ source ~ '_nhce_benefiting * coverage.' ~ source ~ '_hce_counted',
        'coverage.' ~ source ~ '_nhce_counted * coverage.' ~ source ~ '_hce_benefiting'
    ) }}
{%- endmacro %}
