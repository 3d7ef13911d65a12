output "urls" {
  description = "Address of each function, which is also the audience of tokens for it."
  value       = merge({ for name, function in module.function : name => function.uri }, { sign-intermediate = module.signer.uri, examine-rotator = module.examiner.uri })
}
