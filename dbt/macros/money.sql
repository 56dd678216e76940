{#- numerator / days in the year, rounded once to cents, half away from zero, in whole numbers: the numerator is a
    non-negative DECIMAL(38,2) amount times days. A double would miss some half cents. -#}
{% macro per_year(numerator, days_in_year) -%}
    (((({{ numerator }}) * 200)::bigint + {{ days_in_year }}) // (2 * {{ days_in_year }}) / 100)::decimal(18, 2)
{%- endmacro %}

{#- What pay for scheduled weekly hours would be for full-time hours, USD: levels and ranges are of such pay. -#}
{% macro full_time_pay(pay, hours) -%}
    (case
        when {{ hours }} >= {{ param('new_hire_full_time_hours_per_week') }} then {{ pay }}
        else {{ scaled_by_hours(pay, param('new_hire_full_time_hours_per_week'), hours) }}
    end)
{%- endmacro %}

{#- The part of full-time pay that is paid for scheduled weekly hours, USD: share = min(1, hours / full-time hours). -#}
{% macro pay_for_hours(full_time_pay, hours) -%}
    (case
        when {{ hours }} >= {{ param('new_hire_full_time_hours_per_week') }} then {{ full_time_pay }}
        else {{ scaled_by_hours(full_time_pay, hours, param('new_hire_full_time_hours_per_week')) }}
    end)
{%- endmacro %}

{#- pay x hours / per hours, rounded once to cents, half away from zero, in whole numbers. -#}
{% macro scaled_by_hours(pay, hours, per_hours) -%}
    ({{ rounded_ratio(
        '({0} * 100)::bigint::hugeint * ({1} * 100)::bigint'.format(pay, hours),
        '(' ~ per_hours ~ ' * 100)::bigint'
    ) }}::decimal(18, 2) / 100)::decimal(18, 2)
{%- endmacro %}

{#- Pay after a promotion: the drawn increase, or the lift to the new level's range minimum where that is more, and both
    within the caps in rate and dollars. Of the minimum, part-timers have their share. -#}
{% macro promoted_pay(pay, increase_rate, range_minimum) -%}
    (
        {{ pay }} + least(
            greatest(
                round({{ pay }}::decimal(38, 2) * {{ increase_rate }}, 2)::decimal(18, 2), {{ range_minimum }} - {{ pay }}
            ),
            round({{ pay }}::decimal(38, 2) * {{ param('promotion_maximum_increase_rate') }}, 2)::decimal(18, 2),
            {{ param('promotion_maximum_increase_amount') }}
        )
    )::decimal(18, 2)
{%- endmacro %}

{#- Base pay in cents x days from a day of the year to the last day of employment (or an earlier day), both paid, for
    the alias of a row of int_employment: the opening rate from that day on, each change of pay from its own day if later. -#}
{% macro base_pay_days(people, from_day, to_day=none) -%}
    {%- set last_day = to_day or people ~ '.last_day' -%}
    (
        {{ people }}.opening_cents * greatest({{ last_day }} - {{ from_day }} + 1, 0)
        + {{ people }}.raise_cents * greatest({{ last_day }} - greatest({{ people }}.raise_day, {{ from_day }}) + 1, 0)
        + {{ people }}.promotion_cents
        * greatest({{ last_day }} - greatest({{ people }}.promotion_day, {{ from_day }}) + 1, 0)
    )
{%- endmacro %}

{#- Base pay and the bonus that the plan counts, in cents x days, from a day of the year to the last day of employment
    (or an earlier day): a bonus is all of its day, so that over the days of the year it is the whole of it. -#}
{% macro pay_days(people, from_day, to_day=none) -%}
    (
        {{ base_pay_days(people, from_day, to_day) }}
        + case
            when {{ people }}.bonus_day between {{ from_day }} and {{ to_day or people ~ '.last_day' }}
                then {{ people }}.plan_bonus_cents * {{ people }}.days_in_year
            else 0
        end
    )
{%- endmacro %}

{#- The annual rate of pay in force on a date, USD, for the alias of a row of int_employment. -#}
{% macro pay_rate_on(people, day) -%}
    (
        (
            {{ people }}.opening_cents
            + case when {{ people }}.raise_day <= {{ day }} then {{ people }}.raise_cents else 0 end
            + case when {{ people }}.promotion_day <= {{ day }} then {{ people }}.promotion_cents else 0 end
        ) / 100
    )::decimal(18, 2)
{%- endmacro %}

{#- numerator / denominator rounded to a whole number, half away from zero, for whole numbers of 0 or more. -#}
{% macro rounded_ratio(numerator, denominator) -%}
    ((2 * ({{ numerator }}) + {{ denominator }}) // (2 * {{ denominator }}))
{%- endmacro %}

{#- Whole cents as an amount in USD; `/` divides doubles: exact, and much cheaper than decimals. -#}
{% macro dollars(cents) -%}
    (({{ cents }}) / 100)::decimal(18, 2)
{%- endmacro %}

{#- An amount in USD, or null for nothing, as whole cents. -#}
{% macro cents(amount) -%}
    coalesce(({{ amount }} * 100)::bigint, 0)
{%- endmacro %}
