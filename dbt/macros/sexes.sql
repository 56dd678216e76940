{#- The sex that a text of the census names, male, female or unknown, for rates that differ by it. -#}
{% macro sex_of(text) -%}
    case
        when lower(trim({{ text }})) in ('m', 'male') then 'male'
        when lower(trim({{ text }})) in ('f', 'female') then 'female'
        else 'unknown'
    end
{%- endmacro %}
