# C has lessons instead of a binding. Three of them are the programs that each language has.
if(CHARGEWIRE_BUILD_EXAMPLES)
  add_example_test(c one_station $<TARGET_FILE:01_one_station>)
  add_example_test(c fleet $<TARGET_FILE:06_fleet>)
  add_example_test(c client_certificate $<TARGET_FILE:04_tls_client_certificate>)
endif()
