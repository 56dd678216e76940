{#- Completed years from a birth or hire date to a decision date. 29 February counts as 28 February in common years. -#}
{% macro completed_years(from_date, to_date) -%}
    datesub('year', {{ from_date }}, {{ to_date }})::integer
{%- endmacro %}

{#- The date of a month and day in a year; 29 February is 28 February in common years. -#}
{% macro date_in_year(year, month, day) -%}
    make_date({{ year }}, {{ month }}, least({{ day }}, day(last_day(make_date({{ year }}, {{ month }}, 1)))))
{%- endmacro %}
