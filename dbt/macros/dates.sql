{#- Completed years from a birth or hire date to a decision date. 29 February counts as 28 February in common years. -#}
{% macro completed_years(from_date, to_date) -%}
    datesub('year', {{ from_date }}, {{ to_date }})::integer
{%- endmacro %}

{#- The date of a month and day in a year; 29 February is 28 February in common years. -#}
{% macro date_in_year(year, month, day) -%}
    make_date({{ year }}, {{ month }}, least({{ day }}, day(last_day(make_date({{ year }}, {{ month }}, 1)))))
{%- endmacro %}

{#- The first entry date on or after the day on which somebody is ready to enter; null stays null. -#}
{% macro first_entry_date(ready, entry_dates) -%}
    case {{ entry_dates }}
        when 'immediate' then {{ ready }}
        when 'monthly' then (date_trunc('month', {{ ready }} - 1) + interval 1 month)::date
        when 'quarterly' then (date_trunc('quarter', {{ ready }} - 1) + interval 3 months)::date
        when 'semiannual'
            then case
                when {{ ready }} = make_date(year({{ ready }}), 1, 1) then {{ ready }}
                when {{ ready }} <= make_date(year({{ ready }}), 7, 1) then make_date(year({{ ready }}), 7, 1)
                else make_date(year({{ ready }}) + 1, 1, 1)
            end
        when 'annual' then (date_trunc('year', {{ ready }} - 1) + interval 1 year)::date
    end
{%- endmacro %}

{#- The day a configured "MM-DD" falls on in a year. -#}
{% macro yearly_date(year, month_day) -%}
    {{ date_in_year(year, "substr(" ~ month_day ~ ", 1, 2)::integer", "substr(" ~ month_day ~ ", 4, 2)::integer") }}
{%- endmacro %}

{#- The day on which the service that a contribution source requires is completed. Days are added as a number, because
    DuckDB takes two intervals of one query for the same where months of 30 days make them equal: 360 days and a year. -#}
{% macro service_reached(hire_date, source) -%}
    case {{ param(source ~ '_service_unit', 'varchar') }}
        when 'days' then {{ hire_date }} + {{ param(source ~ '_service', 'integer') }}
        when 'months' then ({{ hire_date }} + to_months({{ param(source ~ '_service', 'integer') }}))::date
        else ({{ hire_date }} + to_years({{ param(source ~ '_service', 'integer') }}))::date
    end
{%- endmacro %}
