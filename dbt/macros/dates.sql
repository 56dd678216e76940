{#- Completed years from a birth or service date to a decision date. 29 February is 28 February in common years. -#}
{% macro completed_years(from_date, to_date) -%}
    datesub('year', {{ from_date }}, {{ to_date }})::integer
{%- endmacro %}

{#- The date of a month and day in a year; 29 February is 28 February in common years. -#}
{% macro date_in_year(year, month, day) -%}
    make_date({{ year }}, {{ month }}, least({{ day }}, day(last_day(make_date({{ year }}, {{ month }}, 1)))))
{%- endmacro %}

{#- The months from one entry date of a contribution source to the next, where they are not every day. -#}
{% macro entry_date_months(source) -%}
    case {{ param(source ~ '_entry_dates') }}
        when 'monthly' then 1
        when 'quarterly' then 3
        when 'semiannual' then 6
        when 'annual' then 12
    end
{%- endmacro %}

{#- The first entry date of a contribution source on or after the day on which somebody is ready to enter: that day, or
    the first day of the next of the periods of `months` months that a year is divided into; null stays null. -#}
{% macro first_entry_date(ready, source, months) -%}
    case
        when {{ param(source ~ '_entry_dates') }} = 'immediate' then {{ ready }}
        else (
            date_trunc('year', {{ ready }} - 1)
            + to_months((month({{ ready }} - 1)::integer + {{ months }} - 1) // {{ months }} * {{ months }})
        )::date
    end
{%- endmacro %}

{#- The day a configured "MM-DD" falls on in a year. -#}
{% macro yearly_date(year, month_day) -%}
    {{ date_in_year(year, "substr(" ~ month_day ~ ", 1, 2)::integer", "substr(" ~ month_day ~ ", 4, 2)::integer") }}
{%- endmacro %}

{#- The day on which the service that a contribution source requires is completed. Days are added as a number, because
    DuckDB takes two intervals of one query for the same where months of 30 days make them equal: 360 days and a year. -#}
{% macro service_reached(service_date, source) -%}
    case {{ param(source ~ '_service_unit') }}
        when 'days' then {{ service_date }} + {{ param(source ~ '_service') }}
        when 'months' then ({{ service_date }} + to_months({{ param(source ~ '_service') }}))::date
        else ({{ service_date }} + to_years({{ param(source ~ '_service') }}))::date
    end
{%- endmacro %}

{#- The day on which somebody is ready to enter for a contribution source: the latest of the hire, the birthday of
    the minimum age and the end of the service; null for somebody of too few hours for that. Reads a row of
    int_entry_dates.hours. -#}
{% macro ready_to_enter(source) -%}
    case
        when
            {{ param(source ~ '_service_method') }} = 'elapsed'
            or {{ param(source ~ '_service') }} = 0
            or yearly_hours >= 1000
            then greatest(
                employee_hire_date,
                (employee_birth_date + to_months({{ param(source ~ '_minimum_age_months') }}))::date,
                {{ service_reached('employee_service_date', source) }}
            )
    end
{%- endmacro %}
