{#- The only source of randomness. One md5 of "seed|stream|employee|year" gives two independent uniform draws in [0, 1):
    hex digits 1-13 (draw) and 14-26 (draw2). Nothing else enters the key, so a person's luck does not depend on row
    order, threads, machine or scenario. -#}
{% macro draw_key(stream, employee_id) -%}
    md5(concat(
        {{ param('random_seed') }}, '|{{ stream }}|', {{ employee_id }}, '|', {{ param('simulation_year') }}
    ))
{%- endmacro %}

{#- The key of a lasting trait: the same in every year, because the year's place in it is empty. -#}
{% macro lasting_draw_key(stream, employee_id) -%}
    md5(concat({{ param('random_seed') }}, '|{{ stream }}|', {{ employee_id }}, '|'))
{%- endmacro %}

{% macro draw(key) -%}
    (('0x' || substr({{ key }}, 1, 13))::bigint / 4503599627370496::double)
{%- endmacro %}

{% macro draw2(key) -%}
    (('0x' || substr({{ key }}, 14, 13))::bigint / 4503599627370496::double)
{%- endmacro %}

{#- The key of a draw in an exponential race in which the hazard is that of a yearly probability, -ln(1 - rate): the
    smallest keys are drawn. 0 where the probability is 1, null where it is 0. -#}
{% macro race_key(draw, rate) -%}
    case
        when {{ rate }} >= 1 then 0
        when {{ rate }} > 0 then round(ln(1 - {{ draw }}) / ln(1 - {{ rate }}), 12)
    end
{%- endmacro %}
