{#- A text as JSON writes it; null is null. -#}
{% macro json_text(text) -%}
    coalesce(to_json({{ text }})::varchar, 'null')
{%- endmacro %}
