{#- numerator / days in the year, rounded once to cents, half away from zero, in whole numbers: the numerator is a
    non-negative DECIMAL(38,2) amount times days. A double would miss some half cents. -#}
{% macro per_year(numerator, days_in_year) -%}
    (((({{ numerator }}) * 200)::bigint + {{ days_in_year }}) // (2 * {{ days_in_year }}) / 100::double)::decimal(18, 2)
{%- endmacro %}

{#- Pay after a promotion: the increase, at most its rate and dollar caps, lifted to the new level's range minimum. -#}
{% macro promoted_pay(pay, increase_rate, range_minimum) -%}
    greatest(
        {{ pay }} + least(
            round({{ pay }}::decimal(38, 2) * {{ increase_rate }}, 2)::decimal(18, 2),
            {{ param('promotion_maximum_increase_amount', 'decimal(18, 2)') }}
        ),
        {{ range_minimum }}
    )::decimal(18, 2)
{%- endmacro %}
